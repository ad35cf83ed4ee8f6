// How a typed function becomes the handler of a call, and the lists of both services' calls.
// Private to this room.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cri/cri_server.h"
#include "cri/event_streams.h"
#include "cri/stream_urls.h"
#include "grpc/service.h"
#include "reflect/protobuf.h"
#include "wire/types/cri.h"

namespace podium::cri {

namespace v1 = wire::cri;

inline std::string RuntimePath(const char* call) {
  return "/runtime.v1.RuntimeService/" + std::string(call);
}
inline std::string ImagePath(const char* call) {
  return "/runtime.v1.ImageService/" + std::string(call);
}

// The request; nothing when it is none, and the call has been answered so.
template <class Request>
std::shared_ptr<Request> RequestOf(grpc::Call& call) {
  auto request = std::make_shared<Request>();
  const auto read =
      reflect::DecodeProtobuf(call.message(), reflect::TypeOf<Request>(), request.get());
  if (read.ok()) return request;
  call.Fail(grpc::StatusCode::kInternal,
            "grpc: error unmarshalling request: " + read.error().message());
  return nullptr;
}

template <class Response>
Result<std::string> Encoded(const Response& response) {
  std::string bytes;
  TRY_VOID(reflect::EncodeProtobuf(reflect::TypeOf<Response>(), &response, &bytes));
  return bytes;
}

// Of `Result<Response> work(const Request&, grpc::Call&)`.
template <class Request, class Response, class Work>
grpc::Handler Unary(Work work) {
  return [work = std::move(work)](const std::shared_ptr<grpc::Call>& call) {
    const auto request = RequestOf<Request>(*call);
    if (!request) return;
    Result<Response> response = work(*request, *call);
    if (!response.ok()) return call->Fail(response.error());
    const auto bytes = Encoded(*response);
    if (!bytes.ok()) return call->Fail(bytes.error());
    call->Answer(*bytes);
  };
}

// Messages that were made already.
class ListedMessages : public grpc::MessageSource {
 public:
  explicit ListedMessages(std::vector<std::string> messages) : messages_(std::move(messages)) {}
  Result<Then> Next(std::string* message) override {
    if (next_ == messages_.size()) return Then::kEnd;
    *message = std::move(messages_[next_++]);
    return Then::kMessage;
  }

 private:
  std::vector<std::string> messages_;
  size_t next_ = 0;
};

// The list that `work` makes for a request, told in parts, so that no message grows with the node
// (upstream's streaming lists, from release 1.36 on). `items`: the response's member.
template <class Request, class Response, auto items, class Work>
grpc::Handler Listed(Work work) {
  return [work = std::move(work)](const std::shared_ptr<grpc::Call>& call) {
    constexpr size_t kPart = 100;
    const auto request = RequestOf<Request>(*call);
    if (!request) return;
    auto list = work(*request);
    if (!list.ok()) return call->Fail(list.error());
    std::vector<std::string> messages;
    for (size_t at = 0; at < list->size(); at += kPart) {
      Response response;
      const auto begin = list->begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kPart, list->size() - at));
      (response.*items).assign(std::make_move_iterator(begin), std::make_move_iterator(end));
      auto bytes = Encoded(response);
      if (!bytes.ok()) return call->Fail(bytes.error());
      messages.push_back(*std::move(bytes));
    }
    call->Stream(std::make_unique<ListedMessages>(std::move(messages)));
  };
}

// `parts` and what is given beside them outlive the calls.
void AddRuntimeCalls(const CriParts& parts, EventStreams& events, StreamUrls& streams,
                     grpc::Methods* methods);
void AddImageCalls(const CriParts& parts, grpc::Methods* methods);

}  // namespace podium::cri
