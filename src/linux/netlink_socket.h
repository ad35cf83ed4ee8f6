// Netlink: how the kernel is asked for devices, addresses, routes and packet rules.
//
//   TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
//   NetlinkBatch batch;
//   batch.Begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "making br0");
//   batch.PutHeader(ifinfomsg{.ifi_family = AF_UNSPEC});
//   batch.PutText(IFLA_IFNAME, "br0");
//   { const auto info = batch.Nest(IFLA_LINKINFO); batch.PutText(IFLA_INFO_KIND, "bridge"); }
//   TRY_VOID(socket.Execute(&batch));
//
// A batch is one send: one system call for any number of messages. rtnetlink carries out each alone
// and goes on after an error; nfnetlink takes what stands between its own BEGIN and END messages as
// one transaction.
//
// (The file is not called netlink.h: that is the name of a header of the kernel, in a folder of
// this name.) All numbers are in the machine's byte order unless named Be.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// Messages to be sent. What does not fit (an attribute holds 65,531 bytes at most) makes the whole
// batch fail when it is sent, so that building one needs no checks.
class NetlinkBatch {
 public:
  // Closes the attribute that it stands for.
  class [[nodiscard]] Nested {
   public:
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { batch_->End(start_); }

   private:
    friend class NetlinkBatch;
    Nested(NetlinkBatch* batch, size_t start) : batch_(batch), start_(start) {}
    NetlinkBatch* batch_;
    size_t start_;
  };

  // Begins the next message. NLM_F_REQUEST is added to the flags, and NLM_F_ACK unless kNoAck.
  // `what` is for errors and says what the message does ("making br0"); empty for none.
  enum class Reply { kAck, kNoAck };
  void Begin(uint16_t type, uint16_t flags, std::string what, Reply reply = Reply::kAck);
  // The message begun last may fail with this errno; that counts as success.
  void Tolerate(int os_errno);

  // The fixed part of the message, before any attribute.
  template <class T>
  void PutHeader(const T& header) {
    static_assert(std::is_trivially_copyable_v<T>);
    Append(&header, sizeof header);
  }
  void Put(uint16_t type, std::span<const uint8_t> bytes);
  void PutFlag(uint16_t type) { Put(type, {}); }
  void PutU8(uint16_t type, uint8_t value) { PutValue(type, value); }
  void PutU32(uint16_t type, uint32_t value) { PutValue(type, value); }
  void PutU64(uint16_t type, uint64_t value) { PutValue(type, value); }
  void PutBe16(uint16_t type, uint16_t value) { PutValue(type, __builtin_bswap16(value)); }
  void PutBe32(uint16_t type, uint32_t value) { PutValue(type, __builtin_bswap32(value)); }
  void PutBe64(uint16_t type, uint64_t value) { PutValue(type, __builtin_bswap64(value)); }
  // With a final NUL.
  void PutText(uint16_t type, std::string_view text);
  template <class T>
  void PutValue(uint16_t type, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Put(type, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
  }
  // Attributes put until the result goes out of scope are within this one.
  Nested Nest(uint16_t type);

  bool empty() const { return messages_.empty(); }
  size_t size() const { return messages_.size(); }
  // Bytes so far: to split what grows without bound.
  size_t bytes() const { return bytes_.size(); }

 private:
  friend class NetlinkSocket;
  struct Message {
    size_t start;
    std::string what;
    std::vector<int> tolerated;
  };
  static_assert(sizeof(nlmsghdr) % NLMSG_ALIGNTO == 0);

  void Append(const void* data, size_t size);
  void End(size_t start);
  // Writes the lengths and numbers of the messages, from `sequence` up.
  void Finish(uint32_t sequence);
  nlmsghdr HeaderOf(const Message& message) const;

  std::vector<uint8_t> bytes_;
  std::vector<Message> messages_;
  bool too_large_ = false;
};

// The attributes of a received message. Reading is bounded by the bytes given: a length that does
// not fit ends the list.
class NetlinkAttributes {
 public:
  struct Attribute {
    uint16_t type = 0;  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    std::span<const uint8_t> bytes;

    // Nothing when the size is another.
    template <class T>
    std::optional<T> Value() const {
      static_assert(std::is_trivially_copyable_v<T>);
      if (bytes.size() != sizeof(T)) return std::nullopt;
      T value;
      std::memcpy(&value, bytes.data(), sizeof value);
      return value;
    }
    // Up to the first NUL.
    std::string_view Text() const;
    NetlinkAttributes Nested() const { return NetlinkAttributes(bytes); }
  };

  NetlinkAttributes() = default;
  explicit NetlinkAttributes(std::span<const uint8_t> bytes) : rest_(bytes) {}

  // The next one; nothing at the end.
  std::optional<Attribute> Next();
  // The first of that type from here on, without moving; empty attribute data when there is none.
  std::optional<Attribute> Find(uint16_t type) const;

 private:
  std::span<const uint8_t> rest_;
};

// A message from the kernel.
struct NetlinkReply {
  uint16_t type = 0;
  uint16_t flags = 0;
  uint32_t sequence = 0;
  std::vector<uint8_t> payload;

  // The fixed part; nothing when the message is shorter.
  template <class T>
  std::optional<T> Header() const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (payload.size() < sizeof(T)) return std::nullopt;
    T header;
    std::memcpy(&header, payload.data(), sizeof header);
    return header;
  }
  // What follows a fixed part of this size.
  NetlinkAttributes Attributes(size_t header_size) const;
};

// The messages in one datagram. False when it is cut or malformed; what was whole before that is in
// *replies.
bool ParseNetlink(std::span<const uint8_t> datagram, std::vector<NetlinkReply>* replies);

// The kernel's own words in an error or acknowledgement (NETLINK_EXT_ACK), "" when it has none.
std::string ExtendedAck(const NetlinkReply& reply);

// One connection to the kernel; for one thread at a time. Cheap to open (some 10 µs), so that one
// is opened for each use and none is kept.
class NetlinkSocket {
 public:
  // NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_SOCK_DIAG.
  static Result<NetlinkSocket> Open(int protocol);
  // In another network namespace, given by a descriptor of it: the calling thread enters it, makes
  // the socket and returns. Needs CAP_SYS_ADMIN. A thread that could not return ends the program:
  // whatever it did next would be done in the wrong place.
  static Result<NetlinkSocket> OpenIn(int protocol, int netns);

  // Sends all messages and reads what the kernel says to each. The first error that is not
  // tolerated, in the order of the messages, is returned: "making br0: File exists (the kernel's
  // own words)". The batch may be sent again.
  Result<void> Execute(NetlinkBatch* batch);
  // The same; messages that are answered with data add it to *replies.
  Result<void> Execute(NetlinkBatch* batch, std::vector<NetlinkReply>* replies);

  // For a batch of one message: all answers to it. A dump that the kernel marks as inconsistent,
  // because the table changed meanwhile (NLM_F_DUMP_INTR), is asked for again, a few times.
  Result<std::vector<NetlinkReply>> Dump(NetlinkBatch* batch);

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  static Result<NetlinkSocket> Configure(UniqueFd fd);
  Result<void> Send(NetlinkBatch* batch);
  // One datagram's messages; none when nothing is there and `wait` is false.
  Result<std::vector<NetlinkReply>> Receive(bool wait);
  // Nothing when the kernel says that the dump is inconsistent.
  Result<std::optional<std::vector<NetlinkReply>>> DumpOnce(NetlinkBatch* batch);

  UniqueFd fd_;
  uint32_t sequence_ = 1;
  std::vector<uint8_t> buffer_;
};

}  // namespace podium::kernel
