// A packet from a socket: refused, or a request whose every field can be used.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fuzz/require.h"
#include "runtime/shim/request_reader.h"

namespace {

using namespace podium::runtime::shim;
using podium::fuzz::Require;

void RequireId(const char (&id)[kIdSize]) {
  Require(std::memchr(id, '\0', sizeof(id)) != nullptr);
  Require(std::strchr(id, '/') == nullptr);
}

void RequireIndex(int32_t index, uint32_t count) {
  Require(index >= -1 && index < static_cast<int32_t>(count));
}

}  // namespace

// The first byte: how many descriptors come with the packet.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint32_t count = data[0];
  Request request;
  if (ReadRequest({data + 1, size - 1}, count, &request) != 0) return 0;
  const RequestBody& body = request.body;
  switch (body.header.type) {
    case MessageType::kRunSandbox: {
      RequireId(body.run_sandbox.id);
      RequireIndex(body.run_sandbox.infra, count);
      RequireIndex(body.run_sandbox.run_dir, count);
      Require(body.run_sandbox.uid_mapping_count <= kMaxIdMappings);
      std::string_view rest = request.sysctls;
      std::string_view text;
      uint32_t texts = 0;
      while (TakeText(&rest, &text)) ++texts;
      Require(texts == 2 * body.run_sandbox.sysctl_count);
      break;
    }
    case MessageType::kCreateContainer:
      RequireId(body.create_container.id);
      RequireIndex(body.create_container.plan, count);
      Require(body.create_container.plan >= 0);
      Require(uint64_t{body.create_container.first_plan_descriptor} +
                  body.create_container.plan_descriptor_count <=
              count);
      Require(body.create_container.cgroups.procs_count <= kMaxCgroups);
      break;
    case MessageType::kExec:
      RequireId(body.exec.id);
      RequireId(body.exec.container);
      for (const int32_t index : body.exec.stdio) RequireIndex(index, count);
      break;
    case MessageType::kSignal:
      Require(body.signal.signal > 0 && body.signal.signal <= 64);
      break;
    case MessageType::kAttach:
      RequireIndex(body.attach.stdout_fd, count);
      RequireIndex(body.attach.stderr_fd, count);
      break;
    case MessageType::kStartContainer:
    case MessageType::kCloseStdin:
    case MessageType::kRemoveContainer:
      RequireId(body.target.id);
      break;
    default:
      break;
  }
  return 0;
}
