// Packets and descriptors, in and out. Nothing here waits: an agent that does not read is cut off,
// connects again and asks for the state.
#include <asm/errno.h>
#include <linux/fcntl.h>

#include "runtime/shim/shim.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

// For one State of a full pod; a limit, not memory in use.
constexpr int kSendBuffer = 4 << 20;
constexpr size_t kControlSize = sizeof(sys::ControlHeader) + kMaxDescriptors * sizeof(int);

alignas(8) unsigned char g_packet[kMaxMessage];
alignas(8) unsigned char g_control[kControlSize];

void Drop(Connection& connection) {
  CloseFd(&connection.fd);
  ++connection.generation;
}

void Send(Connection& connection, Header* message, size_t size, std::span<const int> fds) {
  message->magic = kMessageMagic;
  message->version = kMessageVersion;
  message->length = static_cast<uint32_t>(size);
  message->descriptors = static_cast<uint32_t>(fds.size());
  struct {
    sys::ControlHeader header;
    int fds[4];
  } control = {};
  control.header = {.size = sizeof(sys::ControlHeader) + fds.size_bytes(),
                    .level = sys::kSolSocket,
                    .type = sys::kScmRights};
  for (size_t i = 0; i < fds.size(); ++i) control.fds[i] = fds[i];
  iovec part = {.iov_base = message, .iov_len = size};
  const size_t aligned = (control.header.size + 7) / 8 * 8;
  const sys::MessageHeader header = {.name = nullptr,
                                     .name_size = 0,
                                     .parts = &part,
                                     .part_count = 1,
                                     .control = fds.empty() ? nullptr : &control,
                                     .control_size = fds.empty() ? 0 : aligned,
                                     .flags = 0};
  if (sys::Sendmsg(connection.fd, &header, sys::kMsgDontwait | sys::kMsgNosignal) < 0) {
    Drop(connection);
  }
}

// The descriptors of a packet's control data.
void TakeDescriptors(const sys::MessageHeader& header, Received* received) {
  size_t at = 0;
  while (at + sizeof(sys::ControlHeader) <= header.control_size) {
    sys::ControlHeader control;
    __builtin_memcpy(&control, g_control + at, sizeof(control));
    if (control.size < sizeof(control) || control.size > header.control_size - at) return;
    if (control.level == sys::kSolSocket && control.type == sys::kScmRights) {
      const size_t count = (control.size - sizeof(control)) / sizeof(int);
      for (size_t i = 0; i < count && received->count < kMaxDescriptors; ++i) {
        __builtin_memcpy(&received->fds[received->count++],
                         g_control + at + sizeof(control) + i * sizeof(int), sizeof(int));
      }
    }
    at += (control.size + 7) / 8 * 8;
  }
}

}  // namespace

void AddConnection(int fd) {
  for (uint32_t i = 0; i < kMaxConnections; ++i) {
    Connection& connection = g_shim.connections[i];
    if (connection.fd >= 0) continue;
    connection.fd = fd;
    connection.log_bound = 0;
    sys::Setsockopt(fd, sys::kSolSocket, sys::kSoSndbufForce, kSendBuffer);
    Watch(fd, Watched::kConnection, i, connection.generation);
    return;
  }
  sys::Close(fd);
}

void AcceptConnection() {
  const long fd = sys::Call(__NR_accept4, g_shim.listener, nullptr, nullptr,
                            sys::kSockCloexec | sys::kSockNonblock);
  if (fd < 0) return;
  sys::Credentials peer = {.pid = 0, .uid = ~0U, .gid = ~0U};
  int size = sizeof(peer);
  const long result =
      sys::Call(__NR_getsockopt, fd, sys::kSolSocket, sys::kSoPeercred, &peer, &size);
  if (result < 0 || peer.uid != 0) {
    sys::Close(static_cast<int>(fd));
    return;
  }
  AddConnection(static_cast<int>(fd));
}

void ReadConnection(uint32_t index) {
  Connection& connection = g_shim.connections[index];
  iovec part = {.iov_base = g_packet, .iov_len = sizeof(g_packet)};
  sys::MessageHeader header = {.name = nullptr,
                               .name_size = 0,
                               .parts = &part,
                               .part_count = 1,
                               .control = g_control,
                               .control_size = sizeof(g_control),
                               .flags = 0};
  const long size = sys::Recvmsg(connection.fd, &header, sys::kMsgDontwait | sys::kMsgCmsgCloexec);
  if (size == -EAGAIN || size == -EINTR) return;
  if (size <= 0) {
    Drop(connection);
    return;
  }
  Received received;
  TakeDescriptors(header, &received);
  static Request request;
  ReplyTo from = {.connection = index + 1, .generation = connection.generation, .id = 0};
  const bool cut = (header.flags & (sys::kMsgTrunc | sys::kMsgCtrunc)) != 0;
  const int error =
      cut ? EPROTO : ReadRequest({g_packet, static_cast<size_t>(size)}, received.count, &request);
  from.id = cut ? 0 : request.body.header.id;
  if (error != 0) {
    ReplyFailed(from, FailedStep::kMessage, error);
  } else {
    Handle(from, request, received);
  }
  for (uint32_t i = 0; i < received.count; ++i) CloseFd(&received.fds[i]);
}

void Reply(const ReplyTo& to, MessageType type, Header* message, size_t size,
           std::span<const int> fds) {
  if (to.connection == 0) return;
  Connection& connection = g_shim.connections[to.connection - 1];
  if (connection.fd < 0 || connection.generation != to.generation) return;
  message->type = type;
  message->id = to.id;
  Send(connection, message, size, fds);
}

void ReplyDone(const ReplyTo& to) {
  Plain done = {};
  Reply(to, MessageType::kDone, &done.header, sizeof(done));
}

void ReplyFailed(const ReplyTo& to, FailedStep step, int error, std::string_view detail) {
  Failed failed = {};
  failed.step = step;
  failed.error = error;
  CopyText(detail, failed.detail, sizeof(failed.detail));
  Reply(to, MessageType::kFailed, &failed.header, sizeof(failed));
}

void SendEvent(MessageType type, Header* message, size_t size) {
  message->type = type;
  message->id = 0;
  for (Connection& connection : g_shim.connections) {
    if (connection.fd >= 0) Send(connection, message, size, {});
  }
}

}  // namespace podium::runtime::shim
