#include "api/answer.hpp"

namespace penstock::api {
namespace {

// One overload of operator() for each request; each ends the answer.
class Answer {
 public:
  Answer(Director& director, const std::function<void(const Reply&)>& emit) : director_(director), emit_(emit) {}

  void operator()(const AddService& ask) { end(director_.add_service(ask.service)); }
  void operator()(const EditService& ask) { end(director_.edit_service(ask.service)); }
  void operator()(const DeleteService& ask) { end(director_.delete_service(ask.key)); }
  void operator()(const Flush&) { end(director_.flush()); }
  void operator()(const AddServer& ask) { end(director_.add_server(ask.key, ask.server)); }
  void operator()(const EditServer& ask) { end(director_.edit_server(ask.key, ask.server)); }
  void operator()(const DeleteServer& ask) { end(director_.delete_server(ask.key, ask.endpoint)); }
  void operator()(const Zero& ask) { end(director_.zero(ask.key)); }
  void operator()(const SetTimeouts& ask) { end(director_.set_timeouts(ask.timeouts)); }
  void operator()(const GetService& ask) { give(director_.service(ask.key)); }
  void operator()(const GetTimeouts&) { give(director_.timeouts()); }
  void operator()(const GetInfo&) { give(director_.info()); }
  void operator()(const ListReasons&) { give(director_.reasons()); }
  void operator()(const ListSettings&) { give(director_.settings()); }
  void operator()(const SetSetting& ask) { end(director_.set_setting(ask.setting.name, ask.setting.value)); }
  void operator()(const ListMarkRules&) { give(director_.mark_rules()); }
  void operator()(const AddMarkRule& ask) { end(director_.add_mark_rule(ask.rule)); }
  void operator()(const DeleteMarkRule& ask) { end(director_.delete_mark_rule(ask.rule)); }
  void operator()(const ListLocalAddresses&) { give(director_.local_addresses()); }
  void operator()(const AddLocalAddress& ask) { end(director_.add_local_address(ask.address)); }
  void operator()(const DeleteLocalAddress& ask) { end(director_.delete_local_address(ask.address)); }

  void operator()(const ListServices&) {
    auto views = director_.services();
    if (!views) return emit_(std::move(views.error()));
    for (ServiceView& view : *views) emit_(std::move(view));
    emit_(Done{});
  }

  void operator()(const ListConnections&) {
    std::vector<ConnectionView> chunk;
    chunk.reserve(connections_per_reply);
    auto listed = director_.connections([&](const ConnectionView& connection) {
      chunk.push_back(connection);
      if (chunk.size() < connections_per_reply) return;
      emit_(chunk);
      chunk.clear();
    });
    if (!chunk.empty()) emit_(chunk);
    end(std::move(listed));
  }

 private:
  void end(Result<void> result) {
    if (result) return emit_(Done{});
    emit_(std::move(result.error()));
  }

  template <typename Value>
  void give(Result<Value> result) {
    if (!result) return emit_(std::move(result.error()));
    emit_(std::move(*result));
    emit_(Done{});
  }

  Director& director_;
  const std::function<void(const Reply&)>& emit_;
};

}  // namespace

void answer(Director& director, const Request& request, const std::function<void(const Reply&)>& emit) {
  std::visit(Answer(director, emit), request);
}

}  // namespace penstock::api
