// The parts of NodeWay that carry bodies by hand: a request's that is streamed to the other side,
// and the short text of a refusal. Internal to the folder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/executor.h"
#include "base/result.h"
#include "http/backend.h"
#include "http/message.h"
#include "http/server.h"

namespace podium::apiserver {

struct SentBody {
  std::unique_ptr<http::Transport> connection;
  // Of an answer that came before the body was sent; the rest of the body was not.
  std::string received{};
};
// Dials by `dial`, sends the head and, as the client sends it, the body. The thread waits for both,
// but not longer than a minute for a byte to move. kCancelled: the client is gone.
Result<SentBody> SendStreamedBody(
    http::Exchange& exchange, http::RequestHead head,
    const std::function<Result<void>(http::BackendDialled done)>& dial);

// The first bytes of an answer's body, as many as anybody reads, as far as they are there within
// some seconds. Call and callback are on the poller's thread.
void ReadRefusal(const std::shared_ptr<http::Poller>& poller, Executor& timers,
                 http::BackendAnswer answer, std::function<void(std::string text)> done);

// What a client is told when the kubelet refuses to show the log of the pod: upstream's
// GenericHttpResponseChecker (k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go).
Error LogRefusedError(int status, std::string_view pod, const std::string& text);

}  // namespace podium::apiserver
