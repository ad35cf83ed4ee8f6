// What clients are told when the kubelet refuses to show a log. Internal to the folder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/executor.h"
#include "http/backend.h"
#include "http/poller.h"

namespace podium::apiserver {

// The first bytes of an answer's body, as many as anybody reads, as far as they are there within
// some seconds. Call and callback are on the poller's thread.
void ReadRefusal(const std::shared_ptr<http::Poller>& poller, Executor& timers,
                 http::BackendAnswer answer, std::function<void(std::string text)> done);

// What a client is told when the kubelet refuses to show the log of the pod: upstream's
// GenericHttpResponseChecker (k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go).
Error LogRefusedError(int status, std::string_view pod, const std::string& text);

}  // namespace podium::apiserver
