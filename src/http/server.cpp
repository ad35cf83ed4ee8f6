#include "http/server.h"

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
  std::unique_ptr<ServerLoop> loop;
  std::thread thread;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::Start(Listener listener, ServerOptions options,
                                              Handler handler) {
  auto state = std::make_unique<State>();
  TRY(auto inbox, LoopInbox::Create());
  state->context = std::make_shared<ServerContext>(std::move(options), std::move(inbox),
                                                   std::make_shared<UpgradedStreams>());
  TRY(state->pool, HandlerPool::Create(state->context->options.threads,
                                       state->context->options.max_long_running));
  const auto dispatch = [context = state->context, pool = state->pool.get(),
                         handler = std::move(handler)](std::shared_ptr<ServerConnection> connection,
                                                       ServerRequest request) {
    const Treatment treatment = connection->treatment;
    // Copied into each task: std::function wants what can be copied.
    auto held = std::make_shared<ServerRequest>(std::move(request));
    auto task = [context, handler, connection = std::move(connection), held] {
      handler(MakeExchange(context, connection, std::move(*held)));
    };
    if (treatment.long_running || treatment.stream_body) return pool->RunAlone(std::move(task));
    pool->Run(std::move(task));
    return true;
  };
  TRY(state->loop, ServerLoop::Create(std::move(listener), state->context, dispatch));
  try {
    state->thread = std::thread([loop = state->loop.get()] { loop->Run(); });
  } catch (const std::system_error& error) {
    return Error::FromErrno(error.code().value(), "starting a thread");
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

void Server::Stop(std::chrono::milliseconds grace) {
  if (!state_->pool) return;
  ServerContext& context = *state_->context;
  context.inbox->Post({LoopCommand::Kind::kStop});
  context.upgraded->CancelAll();
  const Clock::time_point end = Clock::now() + grace;
  while (Clock::now() < end && (state_->loop->connections() > 0 || context.upgraded->size() > 0)) {
    std::this_thread::sleep_for(kStopPoll);
  }
  context.inbox->Post({LoopCommand::Kind::kCloseAll});
  state_->thread.join();
  context.upgraded->CancelAll();
  context.upgraded->ShutdownAll();
  state_->pool.reset();
}

Server::Counts Server::counts() const {
  return {.connections = state_->loop->connections(),
          .long_running = state_->pool ? state_->pool->alone() : 0,
          .accepted = state_->loop->accepted()};
}

}  // namespace podium::http
