// Walks over the real servers of all services.
#pragma once

#include "doctor/facts.hpp"

namespace penstock::doctor {

// each(service, server), in the order of the director's lists.
template <typename Each>
void for_each_server(const Director& director, Each each) {
  for (const api::ServiceView& service : director.services)
    for (const api::ServerView& server : service.servers) each(service.service, server.server);
}

[[nodiscard]] inline bool leaves_ip_alone(model::Method method) {
  return method == model::Method::direct || method == model::Method::tunnel;
}

}  // namespace penstock::doctor
