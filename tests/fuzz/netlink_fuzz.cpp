// Any bytes in place of the kernel's answers: reading ends, and stays within the bytes.
#include <cstdint>
#include <span>

#include "fuzz/require.h"
#include "linux/netlink_socket.h"

using namespace podium::kernel;  // NOLINT: a fuzz target
using podium::fuzz::Require;

namespace {

// The sum keeps the compiler from leaving the reads out.
size_t Walk(NetlinkAttributes attributes, int depth) {
  size_t sum = 0;
  size_t count = 0;
  while (const auto attribute = attributes.Next()) {
    Require(++count <= 65'536);
    sum += attribute->Text().size() + attribute->Value<uint32_t>().value_or(0);
    for (const uint8_t byte : attribute->bytes) sum += byte;
    if (depth > 0) sum += Walk(attribute->Nested(), depth - 1);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65'536) return 0;
  std::vector<NetlinkReply> replies;
  const bool whole = ParseNetlink({data, size}, &replies);
  size_t bytes = 0;
  for (const NetlinkReply& reply : replies) {
    bytes += reply.payload.size() + sizeof(nlmsghdr);
    for (const size_t header : {size_t{0}, size_t{4}, size_t{16}, size_t{1000}}) {
      volatile size_t sum = Walk(reply.Attributes(header), 2);
      (void)sum;
    }
    Require(ExtendedAck(reply).size() <= reply.payload.size());
  }
  Require(bytes <= size && (whole || bytes < size || size == 0));
  return 0;
}
