#include "cli/ipvsadm_errors.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace penstock::cli {
namespace {

struct VerbWords {
  Verb verb;
  int errno_value;
  const char* words;
};

constexpr std::array verb_words = {
    VerbWords{Verb::add_service, EEXIST, "Service already exists"},
    VerbWords{Verb::add_service, ENOENT, "Scheduler or persistence engine not found"},
    VerbWords{Verb::edit_service, ESRCH, "No such service"},
    VerbWords{Verb::edit_service, ENOENT, "Scheduler or persistence engine not found"},
    VerbWords{Verb::delete_service, ESRCH, "No such service"},
    VerbWords{Verb::zero, ESRCH, "No such service"},
    VerbWords{Verb::list, ESRCH, "No such service"},
    VerbWords{Verb::save, ESRCH, "No such service"},
    VerbWords{Verb::add_server, ESRCH, "Service not defined"},
    VerbWords{Verb::add_server, EEXIST, "Destination already exists"},
    VerbWords{Verb::edit_server, ESRCH, "Service not defined"},
    VerbWords{Verb::edit_server, ENOENT, "No such destination"},
    VerbWords{Verb::delete_server, ESRCH, "Service not defined"},
    VerbWords{Verb::delete_server, ENOENT, "No such destination"},
};

struct AnyWords {
  int errno_value;
  const char* words;
};

constexpr std::array any_words = {
    AnyWords{EPERM, "Permission denied (you must be root)"},
    AnyWords{EINVAL, "Invalid operation.  Possibly wrong module version, address not unicast, ..."},
    AnyWords{ENOPROTOOPT, "Protocol not available"},
    AnyWords{ENOMEM, "Memory allocation problem"},
    AnyWords{EOPNOTSUPP, "Operation not supported with IPv6"},
    AnyWords{EAFNOSUPPORT, "Operation not supported with specified address family"},
    AnyWords{EMSGSIZE, "Module is wrong version"},
};

const char* ipvs_words(Verb verb, int errno_value) {
  for (const VerbWords& entry : verb_words)
    if (entry.verb == verb && entry.errno_value == errno_value) return entry.words;
  for (const AnyWords& entry : any_words)
    if (entry.errno_value == errno_value) return entry.words;
  return std::strerror(errno_value);
}

bool is_about_the_command(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::out_of_range:
    case ErrorCode::exhausted:
      return true;
    case ErrorCode::permission_denied:
    case ErrorCode::busy:
    case ErrorCode::unsupported:
    case ErrorCode::unavailable:
    case ErrorCode::protocol:
    case ErrorCode::io:
      return false;
  }
  return false;
}

}  // namespace

bool is_refusal_of_ipvs(const Error& error) { return is_about_the_command(error.code) && error.errno_value != 0; }

bool is_refusal_of_penstock(const Error& error) {
  if (error.code == ErrorCode::unsupported) return true;
  return is_about_the_command(error.code) && error.errno_value == 0;
}

std::string words_of(Verb verb, const Error& error) {
  return is_refusal_of_ipvs(error) ? ipvs_words(verb, error.errno_value) : error.message;
}

}  // namespace penstock::cli
