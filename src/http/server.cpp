#include "http/server.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "http/handler_pool.h"
#include "http/server_connection.h"
#include "http/server_loop.h"

namespace podium::http {
namespace {

// How often Stop looks whether all is done.
constexpr auto kStopPoll = std::chrono::milliseconds(5);

}  // namespace

struct Server::State {
  std::shared_ptr<ServerContext> context;
  std::unique_ptr<HandlerPool> pool;
  std::vector<std::unique_ptr<ServerLoop>> loops;
  std::vector<std::thread> threads;

  void PostAll(LoopCommand::Kind kind) {
    for (const auto& loop : loops) loop->Post(kind);
  }
  size_t connections() const {
    size_t count = 0;
    for (const auto& loop : loops) count += loop->connections();
    return count;
  }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::Start(Listener listener, ServerOptions options,
                                              Handler handler) {
  std::vector<Endpoint> endpoints;
  endpoints.push_back({std::move(listener)});
  return Start(std::move(endpoints), std::move(options), std::move(handler));
}

Result<std::unique_ptr<Server>> Server::Start(std::vector<Endpoint> endpoints,
                                              ServerOptions options, Handler handler) {
  auto state = std::make_unique<State>();
  state->context = std::make_shared<ServerContext>(std::move(options), std::move(handler),
                                                   std::make_shared<UpgradedStreams>());
  TRY(state->pool, HandlerPool::Create(state->context->options.threads,
                                       state->context->options.max_long_running));
  const auto run = [pool = state->pool.get()](bool alone, std::function<void()> task) {
    if (alone) return pool->RunAlone(std::move(task));
    pool->Run(std::move(task));
    return true;
  };
  for (size_t i = 0; i < std::max<size_t>(state->context->options.loops, 1); ++i) {
    TRY(auto loop, ServerLoop::Create(state->context, run));
    state->loops.push_back(std::move(loop));
  }
  TRY_VOID(state->loops[0]->AcceptFor(std::move(endpoints), state->loops));
  auto server = std::unique_ptr<Server>(new Server(std::move(state)));
  try {
    for (const auto& loop : server->state_->loops) {
      server->state_->threads.emplace_back([loop = loop.get()] { loop->Run(); });
    }
  } catch (const std::system_error& error) {
    return Error::FromErrno(error.code().value(), "starting a thread");
  }
  return server;
}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

void Server::Stop(std::chrono::milliseconds grace) {
  if (!state_->pool) return;
  UpgradedStreams& upgraded = *state_->context->upgraded;
  state_->PostAll(LoopCommand::Kind::kStop);
  upgraded.CancelAll();
  const Clock::time_point end = Clock::now() + grace;
  while (Clock::now() < end && (state_->connections() > 0 || upgraded.size() > 0)) {
    std::this_thread::sleep_for(kStopPoll);
  }
  state_->PostAll(LoopCommand::Kind::kCloseAll);
  for (std::thread& thread : state_->threads) thread.join();
  upgraded.CancelAll();
  upgraded.ShutdownAll();
  state_->pool.reset();
}

Server::Counts Server::counts() const {
  Counts counts{.connections = state_->connections(),
                .long_running = state_->pool ? state_->pool->alone() : 0,
                .accepted = 0};
  for (const auto& loop : state_->loops) counts.accepted += loop->accepted();
  return counts;
}

}  // namespace podium::http
