#include "linux/netlink_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "linux/namespaces.h"

namespace podium::kernel {
namespace {

// The kernel writes dumps in pieces of up to 32 KiB to those who offer as much.
constexpr size_t kReceiveBuffer = size_t{32} * 1024;
// Limits of the socket: a whole ruleset in one batch, and the acknowledgements of its messages.
constexpr int kSocketBuffer = 8 * 1024 * 1024;
constexpr int kMaxDumps = 16;
// The kernel answers within the system call; this only ends a wait that would never end.
constexpr int kReplyTimeoutMs = 30'000;

size_t Aligned(size_t size) { return (size + NLA_ALIGNTO - 1) & ~size_t{NLA_ALIGNTO - 1}; }

void SetOption(int fd, int level, int name, int value) {
  // Each of these only makes things better: without them errors have no text or batches are
  // limited to the machine's default.
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

std::optional<int> ErrorOf(const NetlinkReply& reply) {
  const auto error = reply.Header<nlmsgerr>();
  if (reply.type != NLMSG_ERROR || !error) return std::nullopt;
  return -error->error;
}

Error ReplyError(int os_errno, const std::string& what, const NetlinkReply& reply) {
  Error error = Error::FromErrno(os_errno, what.empty() ? "netlink" : what);
  const std::string words = ExtendedAck(reply);
  if (words.empty()) return error;
  return {error.code(), error.message() + " (" + words + ")", os_errno};
}

}  // namespace

void NetlinkBatch::Begin(uint16_t type, uint16_t flags, std::string what, Reply reply) {
  const uint16_t ack = reply == Reply::kAck ? NLM_F_ACK : 0;
  messages_.push_back({bytes_.size(), std::move(what), {}});
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST | ack);
  Append(&header, sizeof header);
}

void NetlinkBatch::Tolerate(int os_errno) { messages_.back().tolerated.push_back(os_errno); }

void NetlinkBatch::Append(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  bytes_.insert(bytes_.end(), bytes, bytes + size);
  bytes_.resize(Aligned(bytes_.size()));
}

void NetlinkBatch::Put(uint16_t type, std::span<const uint8_t> bytes) {
  nlattr attribute{};
  if (bytes.size() > UINT16_MAX - sizeof attribute) {
    too_large_ = true;
    return;
  }
  attribute.nla_len = static_cast<uint16_t>(sizeof attribute + bytes.size());
  attribute.nla_type = type;
  Append(&attribute, sizeof attribute);
  Append(bytes.data(), bytes.size());
}

void NetlinkBatch::PutText(uint16_t type, std::string_view text) {
  const std::string copy(text);
  Put(type, {reinterpret_cast<const uint8_t*>(copy.c_str()), copy.size() + 1});
}

NetlinkBatch::Nested NetlinkBatch::Nest(uint16_t type) {
  const size_t start = bytes_.size();
  PutFlag(static_cast<uint16_t>(type | NLA_F_NESTED));
  return {this, start};
}

void NetlinkBatch::End(size_t start) {
  const size_t length = bytes_.size() - start;
  if (length > UINT16_MAX) {
    too_large_ = true;
    return;
  }
  const auto value = static_cast<uint16_t>(length);
  std::memcpy(&bytes_[start + offsetof(nlattr, nla_len)], &value, sizeof value);
}

void NetlinkBatch::Finish(uint32_t sequence) {
  for (size_t i = 0; i < messages_.size(); ++i) {
    const size_t start = messages_[i].start;
    const size_t end = i + 1 < messages_.size() ? messages_[i + 1].start : bytes_.size();
    nlmsghdr header = HeaderOf(messages_[i]);
    header.nlmsg_len = static_cast<uint32_t>(end - start);
    header.nlmsg_seq = sequence + static_cast<uint32_t>(i);
    std::memcpy(&bytes_[start], &header, sizeof header);
  }
}

nlmsghdr NetlinkBatch::HeaderOf(const Message& message) const {
  nlmsghdr header;
  std::memcpy(&header, &bytes_[message.start], sizeof header);
  return header;
}

std::string_view NetlinkAttributes::Attribute::Text() const {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

std::optional<NetlinkAttributes::Attribute> NetlinkAttributes::Next() {
  nlattr header;
  if (rest_.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, rest_.data(), sizeof header);
  if (header.nla_len < sizeof header || header.nla_len > rest_.size()) {
    rest_ = {};
    return std::nullopt;
  }
  Attribute attribute;
  attribute.type = header.nla_type & NLA_TYPE_MASK;
  attribute.bytes = rest_.subspan(sizeof header, header.nla_len - sizeof header);
  rest_ = rest_.subspan(std::min(Aligned(header.nla_len), rest_.size()));
  return attribute;
}

std::optional<NetlinkAttributes::Attribute> NetlinkAttributes::Find(uint16_t type) const {
  NetlinkAttributes all = *this;
  while (const auto attribute = all.Next()) {
    if (attribute->type == type) return attribute;
  }
  return std::nullopt;
}

NetlinkAttributes NetlinkReply::Attributes(size_t header_size) const {
  const size_t start = std::min(Aligned(header_size), payload.size());
  return NetlinkAttributes(std::span<const uint8_t>(payload).subspan(start));
}

bool ParseNetlink(std::span<const uint8_t> datagram, std::vector<NetlinkReply>* replies) {
  while (!datagram.empty()) {
    nlmsghdr header;
    if (datagram.size() < sizeof header) return false;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return false;
    const auto payload = datagram.subspan(sizeof header, header.nlmsg_len - sizeof header);
    replies->push_back({.type = header.nlmsg_type,
                        .flags = header.nlmsg_flags,
                        .sequence = header.nlmsg_seq,
                        .payload = {payload.begin(), payload.end()}});
    datagram = datagram.subspan(std::min(Aligned(header.nlmsg_len), datagram.size()));
  }
  return true;
}

std::string ExtendedAck(const NetlinkReply& reply) {
  if ((reply.flags & NLM_F_ACK_TLVS) == 0) return {};
  size_t before = 0;
  if (reply.type == NLMSG_ERROR) {
    const auto error = reply.Header<nlmsgerr>();
    if (!error) return {};
    before = sizeof(nlmsgerr);
    // Unless capped, an error repeats the request whole.
    if (error->error != 0 && (reply.flags & NLM_F_CAPPED) == 0) {
      before += std::max<size_t>(error->msg.nlmsg_len, sizeof(nlmsghdr)) - sizeof(nlmsghdr);
    }
  } else if (reply.type == NLMSG_DONE) {
    before = sizeof(int);
  } else {
    return {};
  }
  const auto text = reply.Attributes(before).Find(NLMSGERR_ATTR_MSG);
  return text ? std::string(text->Text()) : std::string();
}

Result<NetlinkSocket> NetlinkSocket::Open(int protocol) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return Error::FromErrno(errno, "opening a netlink socket");
  return Configure(std::move(fd));
}

Result<NetlinkSocket> NetlinkSocket::OpenIn(int protocol, int netns) {
  TRY(const NetNamespaceEntry there, NetNamespaceEntry::Enter(netns));
  return Open(protocol);
}

Result<NetlinkSocket> NetlinkSocket::Configure(UniqueFd fd) {
  SetOption(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  SetOption(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  SetOption(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  SetOption(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kSocketBuffer);
  SetOption(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kSocketBuffer);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error::FromErrno(errno, "binding a netlink socket");
  }
  return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::Send(NetlinkBatch* batch) {
  if (batch->too_large_) return Error(Code::kResourceExhausted, "netlink message too large");
  batch->Finish(sequence_);
  sequence_ += static_cast<uint32_t>(batch->size());
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = sendto(fd_.get(), batch->bytes_.data(), batch->bytes_.size(), 0,
                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return Error::FromErrno(errno, "sending a netlink message");
  return {};
}

Result<std::vector<NetlinkReply>> NetlinkSocket::Receive(bool wait) {
  buffer_.resize(kReceiveBuffer);
  std::vector<NetlinkReply> replies;
  while (true) {
    sockaddr_nl sender{};
    iovec piece{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const ssize_t size = recvmsg(fd_.get(), &message, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      if (!wait) return replies;
      pollfd readable{fd_.get(), POLLIN, 0};
      if (poll(&readable, 1, kReplyTimeoutMs) == 0) {
        return Error(Code::kDeadlineExceeded, "the kernel does not answer on netlink");
      }
      continue;
    }
    if (size < 0) return Error::FromErrno(errno, "receiving a netlink message");
    // Anybody may send to a netlink socket; only the kernel has port 0.
    if (sender.nl_pid != 0) continue;
    const std::span<const uint8_t> datagram(buffer_.data(), static_cast<size_t>(size));
    if ((message.msg_flags & MSG_TRUNC) != 0 || !ParseNetlink(datagram, &replies)) {
      return Error(Code::kInternal, "a netlink message from the kernel is cut");
    }
    return replies;
  }
}

Result<void> NetlinkSocket::Execute(NetlinkBatch* batch) {
  std::vector<NetlinkReply> unread;
  return Execute(batch, &unread);
}

Result<void> NetlinkSocket::Execute(NetlinkBatch* batch, std::vector<NetlinkReply>* replies) {
  if (batch->empty()) return {};
  const uint32_t first = sequence_;
  TRY_VOID(Send(batch));
  std::optional<Error> error;
  size_t failed = batch->size();
  size_t awaited = static_cast<size_t>(
      std::ranges::count_if(batch->messages_, [&](const NetlinkBatch::Message& message) {
        return (batch->HeaderOf(message).nlmsg_flags & NLM_F_ACK) != 0;
      }));
  while (true) {
    // The kernel has done the work within send: what it says is there already. Only for what
    // must still come, it is waited.
    TRY(std::vector<NetlinkReply> received, Receive(awaited > 0 && !error));
    if (received.empty()) break;
    for (NetlinkReply& reply : received) {
      const size_t index = reply.sequence - first;
      if (index >= batch->size()) continue;  // to an earlier batch that was given up
      const auto os_errno = ErrorOf(reply);
      if (!os_errno) {
        replies->push_back(std::move(reply));
        continue;
      }
      const NetlinkBatch::Message& message = batch->messages_[index];
      const bool acked = (batch->HeaderOf(message).nlmsg_flags & NLM_F_ACK) != 0;
      if (acked && awaited > 0) --awaited;
      if (*os_errno == 0) continue;
      if (std::ranges::find(message.tolerated, *os_errno) != message.tolerated.end()) continue;
      if (index < failed) {
        failed = index;
        error = ReplyError(*os_errno, message.what, reply);
      }
    }
  }
  if (error) return std::move(*error);
  return {};
}

Result<std::optional<std::vector<NetlinkReply>>> NetlinkSocket::DumpOnce(NetlinkBatch* batch) {
  const uint32_t sequence = sequence_;
  const std::string& what = batch->messages_.front().what;
  TRY_VOID(Send(batch));
  std::vector<NetlinkReply> all;
  bool interrupted = false;
  while (true) {
    TRY(std::vector<NetlinkReply> received, Receive(true));
    for (NetlinkReply& reply : received) {
      if (reply.sequence != sequence) continue;
      interrupted |= (reply.flags & NLM_F_DUMP_INTR) != 0;
      if (const auto os_errno = ErrorOf(reply)) {
        if (*os_errno != 0) return ReplyError(*os_errno, what, reply);
        continue;
      }
      if (reply.type == NLMSG_DONE) {
        const int status = reply.Header<int>().value_or(0);
        if (status < 0 && status != -EINTR) return ReplyError(-status, what, reply);
        if (interrupted || status == -EINTR) return std::optional<std::vector<NetlinkReply>>();
        return std::optional(std::move(all));
      }
      all.push_back(std::move(reply));
    }
  }
}

Result<std::vector<NetlinkReply>> NetlinkSocket::Dump(NetlinkBatch* batch) {
  for (int i = 0; i < kMaxDumps; ++i) {
    TRY(auto replies, DumpOnce(batch));
    if (replies) return *std::move(replies);
  }
  return Error(Code::kUnavailable,
               batch->messages_.front().what + ": the kernel's table keeps changing");
}

}  // namespace podium::kernel
