#include "control/daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "api/server.hpp"
#include "api/socket_path.hpp"
#include "control/attachments.hpp"
#include "control/bpffs.hpp"
#include "control/data_plane.hpp"
#include "control/kernel_clock.hpp"
#include "control/punted.hpp"
#include "control/raw_sender.hpp"
#include "control/rtnetlink_next_hops.hpp"
#include "control/runtime_directory.hpp"
#include "control/store.hpp"
#include "control/sweeper.hpp"
#include "control/writer.hpp"

namespace penstock::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds sweep_interval{50};
constexpr std::chrono::milliseconds punt_interval{5};  // what fragmenting adds to a packet's delay
constexpr std::chrono::seconds tick_interval{2};       // IPVS's estimator
constexpr std::chrono::milliseconds refresh_interval{
    100};  // routes that flap cost a look-up of all servers this often at most

// Calls `work` again and again, without drift.
class Every {
 public:
  Every(asio::io_context& io, std::chrono::milliseconds interval, std::function<void()> work)
      : timer_(io), interval_(interval), work_(std::move(work)) {
    timer_.expires_after(interval_);
    wait();
  }

 private:
  void wait() {
    timer_.async_wait([this](error_code error) {
      if (error) return;
      work_();
      // After a long sleep of the machine the missed calls are not made up for.
      timer_.expires_at(std::max(timer_.expiry() + interval_, std::chrono::steady_clock::now()));
      wait();
    });
  }

  asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  std::function<void()> work_;
};

// Owns everything that the loop runs. Members are destroyed from the last to the first, so each may use those before it.
class Daemon {
 public:
  Daemon(const Options& options, Log log, RuntimeDirectory runtime, std::unique_ptr<DataPlane> data_plane,
         KernelClock clock, RawSender sender)
      : options_(options),
        log_(std::move(log)),
        runtime_(std::move(runtime)),
        data_plane_(std::move(data_plane)),
        clock_(clock),
        store_(runtime_.state_path()),
        attachments_({.xdp = data_plane_->programs().xdp.fd(),
                      .tc = [this](TcProgram which) { return data_plane_->tc_program(which); },
                      .links_directory = data_plane_->links_directory(),
                      .qdiscs_directory = data_plane_->qdiscs_directory()},
                     options.interfaces, data_plane_->tables(), log_),
        sweeper_(data_plane_->tables(), clock_),
        sender_(std::move(sender)),
        punted_(data_plane_->tables(), clock_, sender_, log_) {}

  Result<void> run() {
    if (auto started = start(); !started) return started;
    watch_signals();
    if (auto watching = watch_network(); !watching) return watching;
    const Every sweep(io_, sweep_interval, [this] { sweeper_.advance(); });
    const Every punt(io_, punt_interval, [this] { punted_.advance(); });
    const Every tick(io_, tick_interval, [this] { writer_->tick(); });
    const Every refresh(io_, refresh_interval, [this] {
      if (next_hops_->wants_refresh()) next_hops_->refresh();
      attachments_.watch_own(next_hops_->has_local());
    });
    io_.run();
    return outcome_;
  }

 private:
  // The tables are true before the first packet is let at them by this daemon's program.
  Result<void> start() {
    auto next_hops = RtnetlinkNextHops::start(data_plane_->tables(), log_);
    if (!next_hops) return fail(next_hops.error());
    next_hops_ = std::move(*next_hops);
    auto writer = Writer::start({.tables = data_plane_->tables(),
                                 .next_hops = *next_hops_,
                                 .clock = clock_,
                                 .store = &store_,
                                 .warn = log_.warn,
                                 .available_pages = available_pages,
                                 .interfaces = [this] { return attachments_.list(); }});
    if (!writer) return fail(writer.error());
    writer_ = std::move(*writer);
    next_hops_->forget_unclaimed();
    if (auto attached = attachments_.start(next_hops_->links()); !attached) return attached;

    const auto path = api::control_socket_path();
    if (!path) return fail(path.error());
    auto server = api::Server::listen(io_, *writer_, {.path = *path, .group = options_.socket_group});
    if (!server) return fail(server.error());
    server_ = std::move(*server);
    log_.info(fmt::format("ready: commands are taken on {}", *path));
    return {};
  }

  void watch_signals() {
    signals_.async_wait([this](error_code error, int signal) {
      if (error) return;
      log_.info(fmt::format("ending on {}; the packet path goes on serving (penstockd --unload would end it)",
                            signal == SIGINT ? "SIGINT" : "SIGTERM"));
      io_.stop();
    });
  }

  Result<void> watch_network() {
    const int file = fcntl(next_hops_->fd(), F_DUPFD_CLOEXEC, 0);
    if (file < 0) return fail_errno("watching the network", errno);
    network_.assign(file);
    wait_for_network();
    return {};
  }

  void wait_for_network() {
    network_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (error) return;
      auto taken = next_hops_->take_notifications([this](const LinkEvent& event) { attachments_.take(event); });
      if (taken) return wait_for_network();
      outcome_ = with_context("watching the network", taken.error());
      io_.stop();
    });
  }

  const Options& options_;
  Log log_;
  RuntimeDirectory runtime_;
  std::unique_ptr<DataPlane> data_plane_;
  KernelClock clock_;
  Store store_;
  Attachments attachments_;
  Sweeper sweeper_;
  RawSender sender_;
  Punted punted_;
  std::unique_ptr<RtnetlinkNextHops> next_hops_;
  std::unique_ptr<Writer> writer_;
  asio::io_context io_{1};
  std::unique_ptr<api::Server> server_;
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::posix::stream_descriptor network_{io_};  // a duplicate of the notifications' file
  Result<void> outcome_;
};

Result<void> draw_secret(Config& config) {
  if (getrandom(config.hash_key, sizeof config.hash_key, 0) != sizeof config.hash_key)
    return fail_errno("drawing a secret for the tables", errno);
  return {};
}

Result<std::string> pins_of(const Options& options, const NetworkNamespace& network_namespace) {
  if (!options.bpffs)
    return find_bpffs().map([&](const std::string& bpffs) { return pin_directory(bpffs, network_namespace); });
  if (auto checked = check_bpffs(*options.bpffs); !checked) return fail(checked.error());
  return pin_directory(*options.bpffs, network_namespace);
}

Result<Config> wanted_config(const Options& options) {
  const auto cpus = counter_rows();
  if (!cpus) return fail(cpus.error());
  auto config = config_of(options.sizes, *cpus);
  if (!config) return config;
  if (auto drawn = draw_secret(*config); !drawn) return fail(drawn.error());
  return config;
}

// What serving and unloading both begin with.
struct Place {
  NetworkNamespace network_namespace;
  RuntimeDirectory runtime;
  std::string pins;
};

Result<Place> claim_place(const Options& options, const Log& log) {
  const auto network_namespace = own_network_namespace();
  if (!network_namespace) return fail(network_namespace.error());
  const auto directory = api::runtime_directory();
  if (!directory) return fail(directory.error());
  auto runtime = RuntimeDirectory::claim(*directory, *network_namespace, log);
  if (!runtime) return fail(runtime.error());
  auto pins = pins_of(options, *network_namespace);
  if (!pins) return fail(pins.error());
  return Place{*network_namespace, std::move(*runtime), std::move(*pins)};
}

}  // namespace

Result<void> serve(const Options& options, const Log& log) {
  const auto wanted = wanted_config(options);
  if (!wanted) return fail(wanted.error());
  auto place = claim_place(options, log);
  if (!place) return fail(place.error());
  auto data_plane = DataPlane::start(
      {.directory = place->pins, .wanted = *wanted, .namespace_cookie = place->network_namespace.cookie}, log);
  if (!data_plane) return fail(data_plane.error());
  const auto clock = KernelClock::start((*data_plane)->programs().clock.fd());
  if (!clock) return fail(clock.error());
  auto sender = RawSender::open(log);
  if (!sender) return fail(sender.error());
  try {
    return Daemon(options, log, std::move(place->runtime), std::move(*data_plane), *clock, std::move(*sender)).run();
  } catch (const boost::system::system_error& problem) {
    return fail(ErrorCode::io, fmt::format("the event loop: {}", problem.what()));
  }
}

Result<void> unload(const Options& options, const Log& log) {
  const auto place = claim_place(options, log);
  if (!place) return fail(place.error());
  const auto removed = DataPlane::unload(place->pins);
  if (!removed) return fail(removed.error());
  log.info(*removed ? "the packet path is detached and its tables are removed" : "there was no packet path here");
  return {};
}

}  // namespace penstock::control
