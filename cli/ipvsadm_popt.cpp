#include "cli/ipvsadm_popt.hpp"

#include <popt.h>

#include <array>
#include <cstdlib>

namespace penstock::cli {
namespace {

enum class Takes { nothing, argument, perhaps };

struct Entry {
  const char* name;
  char letter;  // '\0': none
  Takes takes;
  Meaning meaning;
};

// popt's number for an option is its place here, counted from 1.
constexpr std::array entries = {
    Entry{"add-service", 'A', Takes::nothing, Verb::add_service},
    Entry{"edit-service", 'E', Takes::nothing, Verb::edit_service},
    Entry{"delete-service", 'D', Takes::nothing, Verb::delete_service},
    Entry{"clear", 'C', Takes::nothing, Verb::flush},
    Entry{"list", 'L', Takes::nothing, Verb::list},
    Entry{"list", 'l', Takes::nothing, Verb::list},
    Entry{"zero", 'Z', Takes::nothing, Verb::zero},
    Entry{"add-server", 'a', Takes::nothing, Verb::add_server},
    Entry{"edit-server", 'e', Takes::nothing, Verb::edit_server},
    Entry{"delete-server", 'd', Takes::nothing, Verb::delete_server},
    Entry{"set", '\0', Takes::nothing, Verb::set_timeouts},
    Entry{"help", 'h', Takes::nothing, Verb::help},
    Entry{"version", 'v', Takes::nothing, Verb::version},
    Entry{"restore", 'R', Takes::nothing, Verb::restore},
    Entry{"save", 'S', Takes::nothing, Verb::save},
    Entry{"start-daemon", '\0', Takes::argument, Verb::start_daemon},
    Entry{"stop-daemon", '\0', Takes::argument, Verb::stop_daemon},
    Entry{"tcp-service", 't', Takes::argument, Tag::tcp_service},
    Entry{"udp-service", 'u', Takes::argument, Tag::udp_service},
    Entry{"sctp-service", '\0', Takes::argument, Tag::sctp_service},
    Entry{"fwmark-service", 'f', Takes::argument, Tag::fwmark_service},
    Entry{"scheduler", 's', Takes::argument, Tag::scheduler},
    Entry{"persistent", 'p', Takes::perhaps, Tag::persistent},
    Entry{"netmask", 'M', Takes::argument, Tag::netmask},
    Entry{"real-server", 'r', Takes::argument, Tag::real_server},
    Entry{"masquerading", 'm', Takes::nothing, Tag::masquerading},
    Entry{"fullnat", '\0', Takes::nothing, Tag::fullnat},  // not in ipvsadm 1.31
    Entry{"ipip", 'i', Takes::nothing, Tag::ipip},
    Entry{"gatewaying", 'g', Takes::nothing, Tag::gatewaying},
    Entry{"weight", 'w', Takes::argument, Tag::weight},
    Entry{"u-threshold", 'x', Takes::argument, Tag::u_threshold},
    Entry{"l-threshold", 'y', Takes::argument, Tag::l_threshold},
    Entry{"numeric", 'n', Takes::nothing, Plain{Option::numeric}},
    Entry{"connection", 'c', Takes::nothing, Plain{Option::connection}},
    Entry{"mcast-interface", '\0', Takes::argument, OfDaemon{Option::mcast_interface}},
    Entry{"syncid", '\0', Takes::argument, OfDaemon{Option::syncid}},
    Entry{"timeout", '\0', Takes::nothing, Plain{Option::timeout}},
    Entry{"daemon", '\0', Takes::nothing, Plain{Option::daemon}},
    Entry{"stats", '\0', Takes::nothing, Plain{Option::stats}},
    Entry{"rate", '\0', Takes::nothing, Plain{Option::rate}},
    Entry{"thresholds", '\0', Takes::nothing, Plain{Option::thresholds}},
    Entry{"persistent-conn", '\0', Takes::nothing, Plain{Option::persistent_conn}},
    Entry{"nosort", '\0', Takes::nothing, Plain{Option::nosort}},
    Entry{"sort", '\0', Takes::nothing, Tag::sort},
    Entry{"exact", 'X', Takes::nothing, Plain{Option::exact}},
    Entry{"ipv6", '6', Takes::nothing, Tag::ipv6},
    Entry{"ops", 'o', Takes::nothing, Tag::ops},
    Entry{"pe", '\0', Takes::argument, Tag::pe},
    Entry{"sched-flags", 'b', Takes::argument, Tag::sched_flags},
    Entry{"sync-maxlen", '\0', Takes::argument, OfDaemon{Option::sync_maxlen}},
    Entry{"mcast-group", '\0', Takes::argument, OfDaemon{Option::mcast_group}},
    Entry{"mcast-port", '\0', Takes::argument, OfDaemon{Option::mcast_port}},
    Entry{"mcast-ttl", '\0', Takes::argument, OfDaemon{Option::mcast_ttl}},
    Entry{"tun-info", '\0', Takes::nothing, Plain{Option::tun_info}},
    Entry{"tun-type", '\0', Takes::argument, Tag::tun_type},
    Entry{"tun-port", '\0', Takes::argument, Tag::tun_port},
    Entry{"tun-nocsum", '\0', Takes::nothing, Tag::tun_nocsum},
    Entry{"tun-csum", '\0', Takes::nothing, Tag::tun_csum},
    Entry{"tun-remcsum", '\0', Takes::nothing, Tag::tun_remcsum},
};

unsigned argument_info(Takes takes) {
  switch (takes) {
    case Takes::nothing:
      return POPT_ARG_NONE;
    case Takes::argument:
      return POPT_ARG_STRING;
    case Takes::perhaps:
      return POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL;
  }
  return POPT_ARG_NONE;
}

using Table = std::array<poptOption, entries.size() + 1>;  // one more as the end

Table make_table() {
  Table table{};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    table[i].longName = entry.name;
    table[i].shortName = entry.letter;
    table[i].argInfo = argument_info(entry.takes);
    table[i].val = static_cast<int>(i) + 1;
  }
  return table;
}

const Table& option_table() {
  static const Table table = make_table();
  return table;
}

std::vector<const char*> as_argv(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  return argv;
}

constexpr int end_of_options = -1;

}  // namespace

void OptionWalk::Free::operator()(poptContext_s* context) const { poptFreeContext(context); }

OptionWalk::OptionWalk(const std::vector<std::string>& arguments)
    : arguments_(as_argv(arguments)),
      context_(
          poptGetContext("ipvsadm", static_cast<int>(arguments.size()), arguments_.data(), option_table().data(), 0)) {}

std::optional<Meaning> OptionWalk::next() {
  const int value = poptGetNextOpt(context_.get());
  if (value > 0) return entries[static_cast<std::size_t>(value) - 1].meaning;
  if (value < end_of_options) error_ = written() + ": " + poptStrerror(value);
  return std::nullopt;
}

std::optional<std::string> OptionWalk::argument() {
  const std::unique_ptr<char, decltype(&std::free)> text(poptGetOptArg(context_.get()), &std::free);
  if (!text) return std::nullopt;
  return std::string(text.get());
}

std::string OptionWalk::written() const {
  const char* text = poptBadOption(context_.get(), POPT_BADOPTION_NOALIAS);
  return text == nullptr ? "" : text;
}

std::optional<std::string> OptionWalk::leftover() {
  const char* text = poptGetArg(context_.get());
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

}  // namespace penstock::cli
