#include "api/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>

#include "base/result.hpp"

namespace penstock::api {
namespace {

using Json = nlohmann::json;

template <typename T>
struct Name {
  T value;
  std::string_view name;
};

constexpr auto names_of(model::Protocol) {
  using enum model::Protocol;
  return std::to_array<Name<model::Protocol>>({{tcp, "tcp"}, {udp, "udp"}, {sctp, "sctp"}});
}

constexpr auto names_of(model::Family) {
  using enum model::Family;
  return std::to_array<Name<model::Family>>({{ipv4, "ipv4"}, {ipv6, "ipv6"}});
}

constexpr auto names_of(ConnectionProtocol) {
  using enum ConnectionProtocol;
  return std::to_array<Name<ConnectionProtocol>>(
      {{ip, "ip"}, {tcp, "tcp"}, {udp, "udp"}, {esp, "esp"}, {ah, "ah"}, {sctp, "sctp"}});
}

constexpr auto names_of(model::Method) {
  using enum model::Method;
  return std::to_array<Name<model::Method>>(
      {{nat, "nat"}, {local, "local"}, {tunnel, "tunnel"}, {direct, "direct"}, {fullnat, "fullnat"}});
}

constexpr auto names_of(model::TunnelType) {
  using enum model::TunnelType;
  return std::to_array<Name<model::TunnelType>>({{ipip, "ipip"}, {gue, "gue"}, {gre, "gre"}});
}

constexpr auto names_of(model::TunnelChecksum) {
  using enum model::TunnelChecksum;
  return std::to_array<Name<model::TunnelChecksum>>(
      {{none, "none"}, {checksum, "checksum"}, {remote_checksum, "remote_checksum"}});
}

constexpr auto names_of(ErrorCode) {
  using enum ErrorCode;
  return std::to_array<Name<ErrorCode>>({{invalid_argument, "invalid_argument"},
                                         {not_found, "not_found"},
                                         {already_exists, "already_exists"},
                                         {out_of_range, "out_of_range"},
                                         {permission_denied, "permission_denied"},
                                         {busy, "busy"},
                                         {exhausted, "exhausted"},
                                         {unsupported, "unsupported"},
                                         {unavailable, "unavailable"},
                                         {protocol, "protocol"},
                                         {io, "io"}});
}

template <typename T, typename Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// describe() names a record's fields once, for both directions: `Archive` is a Writer or a Reader.

template <typename Archive>
void describe(Archive& field, Is<model::Endpoint> auto& endpoint) {
  field("address", endpoint.address);
  field("port", endpoint.port);
}

template <typename Archive>
void describe(Archive& field, Is<model::ServiceKey> auto& key) {
  field("protocol", key.protocol);
  field("vip", key.vip);
  field("fwmark", key.fwmark);
}

template <typename Archive>
void describe(Archive& field, Is<model::Service> auto& service) {
  field("key", service.key);
  field("scheduler", service.scheduler);
  field("flags", service.flags);
  field("persistence_timeout_s", service.persistence_timeout_s);
  field("netmask", service.netmask);
  field("persistence_engine", service.persistence_engine);
}

template <typename Archive>
void describe(Archive& field, Is<model::Tunnel> auto& tunnel) {
  field("type", tunnel.type);
  field("port", tunnel.port);
  field("checksum", tunnel.checksum);
}

template <typename Archive>
void describe(Archive& field, Is<model::RealServer> auto& server) {
  field("endpoint", server.endpoint);
  field("method", server.method);
  field("weight", server.weight);
  field("upper_threshold", server.upper_threshold);
  field("lower_threshold", server.lower_threshold);
  field("tunnel", server.tunnel);
}

template <typename T>
concept Counters = Is<T, Statistics> || Is<T, Rates>;

template <typename Archive>
void describe(Archive& field, Counters auto& counters) {
  field("connections", counters.connections);
  field("in_packets", counters.in_packets);
  field("out_packets", counters.out_packets);
  field("in_bytes", counters.in_bytes);
  field("out_bytes", counters.out_bytes);
}

template <typename Archive>
void describe(Archive& field, Is<ServerView> auto& view) {
  field("server", view.server);
  field("active", view.active);
  field("inactive", view.inactive);
  field("persistent", view.persistent);
  field("statistics", view.statistics);
  field("rates", view.rates);
}

template <typename Archive>
void describe(Archive& field, Is<ServiceView> auto& view) {
  field("service", view.service);
  field("statistics", view.statistics);
  field("rates", view.rates);
  field("servers", view.servers);
}

template <typename Archive>
void describe(Archive& field, Is<ConnectionView> auto& view) {
  field("protocol", view.protocol);
  field("is_template", view.is_template);
  field("client", view.client);
  field("vip", view.vip);
  field("server", view.server);
  field("state", view.state);
  field("expires_s", view.expires_s);
}

template <typename Archive>
void describe(Archive& field, Is<Timeouts> auto& timeouts) {
  field("tcp_s", timeouts.tcp_s);
  field("tcp_fin_s", timeouts.tcp_fin_s);
  field("udp_s", timeouts.udp_s);
}

template <typename Archive>
void describe(Archive& field, Is<Info> auto& info) {
  field("connection_buckets", info.connection_buckets);
  field("connections_max", info.connections_max);
  field("interfaces", info.interfaces);
}

template <typename Archive>
void describe(Archive& field, Is<InterfaceView> auto& interface) {
  field("name", interface.name);
  field("mode", interface.mode);
}

template <typename Archive>
void describe(Archive& field, Is<Counter> auto& counter) {
  field("name", counter.name);
  field("packets", counter.packets);
  field("is_remark", counter.is_remark);
}

template <typename Archive>
void describe(Archive& field, Is<Setting> auto& setting) {
  field("name", setting.name);
  field("value", setting.value);
}

template <typename Archive>
void describe(Archive& field, Is<model::PortRange> auto& range) {
  field("first", range.first);
  field("last", range.last);
}

template <typename Archive>
void describe(Archive& field, Is<model::MarkRule> auto& rule) {
  field("family", rule.family);
  field("protocol", rule.protocol);
  field("source", rule.source);
  field("destination", rule.destination);
  field("source_ports", rule.source_ports);
  field("destination_ports", rule.destination_ports);
  field("mark", rule.mark);
}

template <typename Archive>
void describe(Archive& field, Is<Error> auto& error) {
  field("code", error.code);
  field("message", error.message);
  field("errno", error.errno_value);
}

template <typename T>
concept OnlyService = Is<T, AddService> || Is<T, EditService>;
template <typename T>
concept OnlyKey = Is<T, DeleteService> || Is<T, GetService> || Is<T, Zero>;
template <typename T>
concept KeyAndServer = Is<T, AddServer> || Is<T, EditServer>;
template <typename T>
concept OnlyRule = Is<T, AddMarkRule> || Is<T, DeleteMarkRule>;
template <typename T>
concept OnlyAddress = Is<T, AddLocalAddress> || Is<T, DeleteLocalAddress>;
template <typename T>
concept Empty = std::is_empty_v<std::remove_const_t<T>>;

template <typename Archive>
void describe(Archive& field, OnlyService auto& request) {
  field("service", request.service);
}

template <typename Archive>
void describe(Archive& field, OnlyKey auto& request) {
  field("key", request.key);
}

template <typename Archive>
void describe(Archive& field, KeyAndServer auto& request) {
  field("key", request.key);
  field("server", request.server);
}

template <typename Archive>
void describe(Archive& field, Is<DeleteServer> auto& request) {
  field("key", request.key);
  field("endpoint", request.endpoint);
}

template <typename Archive>
void describe(Archive& field, Is<SetTimeouts> auto& request) {
  field("timeouts", request.timeouts);
}

template <typename Archive>
void describe(Archive& field, Is<SetSetting> auto& request) {
  field("setting", request.setting);
}

template <typename Archive>
void describe(Archive& field, OnlyRule auto& request) {
  field("rule", request.rule);
}

template <typename Archive>
void describe(Archive& field, OnlyAddress auto& request) {
  field("address", request.address);
}

template <typename Archive>
void describe(Archive&, Empty auto&) {}

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    object_[name] = json(value);
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) object_[name] = json(*value);
  }

  static Json json(const Integer auto& value) { return value; }
  static Json json(const std::same_as<bool> auto& value) { return value; }
  static Json json(const std::string& text) { return text; }
  static Json json(const model::Address& address) { return model::to_string(address); }
  static Json json(const model::Prefix& prefix) { return model::to_string(prefix); }

  template <typename T>
    requires std::is_enum_v<T>
  static Json json(const T& value) {
    for (const auto& [candidate, name] : names_of(T{}))
      if (candidate == value) return name;
    return static_cast<std::underlying_type_t<T>>(value);  // refused by the reader, with the number in its message
  }

  template <typename T>
  static Json json(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(json(value));
    return array;
  }

  template <typename T>
    requires std::is_class_v<T>
  static Json json(const T& record) {
    Writer writer;
    describe(writer, record);
    return std::move(writer.object_);
  }

 private:
  Json object_ = Json::object();
};

// Excerpt of a refused value, bounded so that an error stays a sentence.
std::string excerpt(const Json& value) {
  constexpr std::size_t excerpt_bytes_max = 40;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > excerpt_bytes_max) text.replace(excerpt_bytes_max, std::string::npos, "…");
  return text;
}

// Reads the fields of one object; keeps the first error. Nested readers share the error through their return value.
class Reader {
 public:
  Reader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object()) refuse(path_, "expected an object", object);
  }

  template <typename T>
  void operator()(const char* name, T& value) {
    if (error_) return;
    const auto found = object_.find(name);
    if (found == object_.end()) return refuse(path_, fmt::format("field \"{}\" is missing", name));
    ++taken_;
    read(*found, value, path_ + "." + name);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (error_ || !object_.contains(name)) return;
    (*this)(name, value.emplace());
  }

  // To be called after the last field.
  template <typename T>
  static std::optional<Error> read_record(const Json& json, T& record, const std::string& path) {
    Reader reader(json, path);
    if (!reader.error_) describe(reader, record);
    if (!reader.error_ && reader.taken_ != json.size()) reader.refuse(path, "has fields that are not known here", json);
    return std::move(reader.error_);
  }

  template <typename T>
  static std::optional<Error> read_value(const Json& json, T& value, const std::string& path) {
    const Json no_fields = Json::object();
    Reader reader(no_fields, path);
    reader.read(json, value, path);
    return std::move(reader.error_);
  }

 private:
  void refuse(const std::string& path, const std::string& sentence) {
    if (!error_) error_ = Error{ErrorCode::protocol, path + ": " + sentence, 0};
  }
  void refuse(const std::string& path, const std::string& sentence, const Json& value) {
    refuse(path, sentence + ": " + excerpt(value));
  }

  template <Integer T>
  void read(const Json& json, T& value, const std::string& path) {
    using Limits = std::numeric_limits<T>;
    const bool fits = json.is_number_unsigned()  ? std::in_range<T>(json.get<std::uint64_t>())
                      : json.is_number_integer() ? std::in_range<T>(json.get<std::int64_t>())
                                                 : false;
    if (!fits)
      return refuse(path, fmt::format("expected an integer from {} to {}", Limits::min(), Limits::max()), json);
    value = json.get<T>();
  }

  void read(const Json& json, std::same_as<bool> auto& value, const std::string& path) {
    if (!json.is_boolean()) return refuse(path, "expected true or false", json);
    value = json.get<bool>();
  }

  void read(const Json& json, std::string& text, const std::string& path) {
    if (!json.is_string()) return refuse(path, "expected a string", json);
    text = json.get<std::string>();
  }

  void read(const Json& json, model::Address& address, const std::string& path) {
    std::string text;
    read(json, text, path);
    if (error_) return;
    // inet_pton would stop at an embedded NUL and call the rest an address.
    const auto parsed = text.find('\0') == std::string::npos ? model::parse_address(text) : std::nullopt;
    if (!parsed) return refuse(path, "expected an IP address", json);
    address = *parsed;
  }

  void read(const Json& json, model::Prefix& prefix, const std::string& path) {
    std::string text;
    read(json, text, path);
    if (error_) return;
    const auto parsed = text.find('\0') == std::string::npos ? model::parse_prefix(text) : std::nullopt;
    if (!parsed) return refuse(path, "expected a block of addresses", json);
    prefix = *parsed;
  }

  template <typename T>
    requires std::is_enum_v<T>
  void read(const Json& json, T& value, const std::string& path) {
    if (json.is_string())
      for (const auto& [candidate, name] : names_of(T{}))
        if (json.get_ref<const std::string&>() == name) {
          value = candidate;
          return;
        }
    refuse(path, "not one of the known words", json);
  }

  template <typename T>
  void read(const Json& json, std::vector<T>& values, const std::string& path) {
    if (!json.is_array()) return refuse(path, "expected an array", json);
    values.reserve(json.size());
    for (const Json& element : json) {
      read(element, values.emplace_back(), path + "[]");
      if (error_) return;
    }
  }

  template <typename T>
    requires std::is_class_v<T>
  void read(const Json& json, T& record, const std::string& path) {
    error_ = read_record(json, record, path);
  }

  const Json& object_;
  std::string path_;
  std::size_t taken_ = 0;
  std::optional<Error> error_;
};

// The words of the wire, in the order of the variants.
constexpr auto request_names = std::to_array<std::string_view>({"add_service",
                                                                "edit_service",
                                                                "delete_service",
                                                                "flush",
                                                                "add_server",
                                                                "edit_server",
                                                                "delete_server",
                                                                "zero",
                                                                "services",
                                                                "service",
                                                                "connections",
                                                                "timeouts",
                                                                "set_timeouts",
                                                                "info",
                                                                "reasons",
                                                                "settings",
                                                                "set_setting",
                                                                "mark_rules",
                                                                "add_mark_rule",
                                                                "delete_mark_rule",
                                                                "local_addresses",
                                                                "add_local_address",
                                                                "delete_local_address"});
static_assert(request_names.size() == std::variant_size_v<Request>);

constexpr auto reply_names =
    std::to_array<std::string_view>({"done", "error", "service", "connections", "timeouts", "info", "reasons",
                                     "settings", "mark_rules", "local_addresses"});
static_assert(reply_names.size() == std::variant_size_v<Reply>);

template <typename Variant>
std::string encode(const Variant& variant, std::string_view name) {
  Json envelope = {{"penstock", protocol_version}, {"say", name}};
  envelope["value"] = std::visit([](const auto& value) { return Writer::json(value); }, variant);
  return envelope.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Envelope {
  std::string say;
  Json value;
};

// What is written in error messages is walked recursively, so the other side must not choose how deep.
constexpr int nesting_max = 32;

Result<Json> parse(std::string_view text) {
  bool too_deep = false;
  const auto keep = [&too_deep](int depth, Json::parse_event_t, const Json&) {
    too_deep = too_deep || depth > nesting_max;
    return !too_deep;
  };
  try {
    auto json = Json::parse(text, keep);
    if (too_deep) return fail(ErrorCode::protocol, fmt::format("nested more than {} deep", nesting_max));
    return json;
  } catch (const Json::exception& problem) {
    return fail(ErrorCode::protocol, fmt::format("not JSON: {}", problem.what()));
  }
}

Result<Envelope> open_envelope(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed) return fail(std::move(parsed.error()));
  Json& json = *parsed;
  if (!json.is_object()) return fail(ErrorCode::protocol, "expected an object: " + excerpt(json));
  const auto version = json.find("penstock");
  if (version == json.end() || !version->is_number_unsigned())
    return fail(ErrorCode::protocol, "field \"penstock\", the protocol's version, is missing or not a number");
  if (*version != protocol_version)
    return fail(ErrorCode::unsupported,
                fmt::format("the other side speaks version {} of the protocol, this one version "
                            "{}: use penstockd and its clients from one release",
                            excerpt(*version), protocol_version));
  const auto say = json.find("say");
  const auto value = json.find("value");
  if (say == json.end() || !say->is_string() || value == json.end() || json.size() != 3)
    return fail(ErrorCode::protocol, "expected exactly the fields \"penstock\", \"say\" (a string) and \"value\"");
  return Envelope{say->get<std::string>(), std::move(*value)};
}

template <typename Variant, std::size_t index = 0>
std::optional<Error> read_alternative(std::size_t wanted, const Json& json, Variant& variant, const std::string& path) {
  if constexpr (index < std::variant_size_v<Variant>) {
    if (wanted != index) return read_alternative<Variant, index + 1>(wanted, json, variant, path);
    return Reader::read_value(json, variant.template emplace<index>(), path);
  } else {
    return Error{ErrorCode::protocol, excerpt(path) + " is not a word of this protocol", 0};
  }
}

template <typename Variant>
Result<Variant> decode(std::string_view text, std::span<const std::string_view> names) {
  const auto envelope = open_envelope(text);
  if (!envelope) return fail(envelope.error());
  const auto index = static_cast<std::size_t>(std::ranges::find(names, envelope->say) - names.begin());
  Variant variant;
  if (auto error = read_alternative(index, envelope->value, variant, envelope->say)) return fail(std::move(*error));
  return variant;
}

}  // namespace

std::string encode_request(const Request& request) { return encode(request, request_names[request.index()]); }

std::string encode_reply(const Reply& reply) { return encode(reply, reply_names[reply.index()]); }

Result<Request> decode_request(std::string_view text) { return decode<Request>(text, request_names); }

Result<Reply> decode_reply(std::string_view text) { return decode<Reply>(text, reply_names); }

}  // namespace penstock::api
