// What a client of the CRI sends in a call: a head's fields, and the bytes of its message. Whatever
// comes is a message as long as it says, or is refused; what is read as a request of any call can
// be written again, and reads as the same.
//
// The first byte chooses the call, the second how the bytes are cut.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "cri/cgroup_parent.h"
#include "fuzz/require.h"
#include "grpc/message_reader.h"
#include "grpc/status.h"
#include "http/headers.h"
#include "reflect/protobuf.h"
#include "wire/types/cri.h"

namespace podium::grpc {
namespace {

using fuzz::Require;

void Heads(std::string_view text) {
  const auto timeout = ParseTimeout(text);
  Require(!timeout.ok() || timeout->count() >= 0);
  const std::string encoded = EncodeStatusMessage(text);
  Require(std::ranges::all_of(encoded, [](char c) { return c >= 0x20 && c <= 0x7E; }));
  const auto path = cri::CgroupPathOf(text);
  Require(!path.ok() || (!path->starts_with('/') && !path->ends_with('/')));
  // What is read is a path that reads as itself, unless it is the name of one slice.
  if (path.ok() && path->contains('/')) Require(*cri::CgroupPathOf(*path) == *path);
}

void Requests(const reflect::Method& method, std::string_view bytes) {
  reflect::AnyObject first(*method.request);
  if (!reflect::DecodeProtobuf(bytes, *method.request, first.get()).ok()) return;
  std::string written;
  Require(reflect::EncodeProtobuf(*method.request, first.get(), &written).ok());
  reflect::AnyObject second(*method.request);
  Require(reflect::DecodeProtobuf(written, *method.request, second.get()).ok());
  std::string again;
  Require(reflect::EncodeProtobuf(*method.request, second.get(), &again).ok());
  Require(written == again);
}

void Messages(std::string_view bytes, size_t piece) {
  MessageReader reader;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    if (!reader.Take(bytes.substr(at, piece)).ok()) return;
  }
  const auto message = reader.End();
  if (message.ok()) Require(Framed(*message) == bytes);
}

}  // namespace
}  // namespace podium::grpc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;  // NOLINT(google-build-using-namespace): the one function outside
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto& methods =
      data[0] % 4 == 0 ? wire::cri::kImageServiceMethods : wire::cri::kRuntimeServiceMethods;
  grpc::Heads(bytes);
  grpc::Requests(methods[data[0] / 4 % methods.size()], bytes);
  grpc::Messages(bytes, size_t{data[1]} + 1);
  return 0;
}
