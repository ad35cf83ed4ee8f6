#include "linux/netlink_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "support/own_namespaces.h"

namespace podium::kernel {
namespace {

using podium::testing::InNetns;
using podium::testing::InOwnNamespaces;
using podium::testing::NewNetns;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void AddLink(NetlinkBatch* batch, const std::string& name, const char* kind) {
  batch->Begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "making " + name);
  batch->PutHeader(ifinfomsg{});
  batch->PutText(IFLA_IFNAME, name);
  const auto info = batch->Nest(IFLA_LINKINFO);
  batch->PutText(IFLA_INFO_KIND, kind);
}

std::vector<std::string> Links(NetlinkSocket* socket) {
  NetlinkBatch batch;
  batch.Begin(RTM_GETLINK, NLM_F_DUMP, "listing");
  batch.PutHeader(ifinfomsg{});
  std::vector<std::string> names;
  const auto replies = socket->Dump(&batch);
  EXPECT_TRUE(replies.ok());
  if (!replies.ok()) return names;
  for (const NetlinkReply& reply : *replies) {
    const auto name = reply.Attributes(sizeof(ifinfomsg)).Find(IFLA_IFNAME);
    names.emplace_back(name ? name->Text() : "?");
  }
  return names;
}

TEST(NetlinkSocketTest, BatchesAreCarriedOutMessageByMessage) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
    ASSERT_TRUE(socket.ok()) << socket.error().message();
    NetlinkBatch batch;
    for (const char* name : {"br0", "br1", "br2"}) AddLink(&batch, name, "bridge");
    EXPECT_EQ(batch.size(), 3u);
    ASSERT_TRUE(socket->Execute(&batch).ok());
    EXPECT_THAT(Links(&*socket), ::testing::ElementsAre("lo", "br0", "br1", "br2"));
  });
}

TEST(NetlinkSocketTest, TheFirstErrorIsNamedAndTheRestIsDone) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
    ASSERT_TRUE(socket.ok());
    NetlinkBatch batch;
    AddLink(&batch, "br0", "bridge");
    AddLink(&batch, "br0", "bridge");
    AddLink(&batch, "x0", "no-such-kind");
    AddLink(&batch, "br1", "bridge");
    const auto done = socket->Execute(&batch);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code(), Code::kAlreadyExists);
    EXPECT_EQ(done.error().os_errno(), EEXIST);
    EXPECT_THAT(done.error().message(), HasSubstr("making br0: File exists"));
    EXPECT_THAT(Links(&*socket), ::testing::ElementsAre("lo", "br0", "br1"));

    NetlinkBatch again;
    AddLink(&again, "br0", "bridge");
    again.Tolerate(EEXIST);
    EXPECT_TRUE(socket->Execute(&again).ok());
    NetlinkBatch unknown;
    AddLink(&unknown, "x0", "no-such-kind");
    unknown.Tolerate(EEXIST);
    const auto refused = socket->Execute(&unknown);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Code::kUnsupported);
    EXPECT_THAT(refused.error().message(), HasSubstr("(Unknown device type)"));
  });
}

TEST(NetlinkSocketTest, AnswersWithData) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
    ASSERT_TRUE(socket.ok());
    NetlinkBatch batch;
    batch.Begin(RTM_GETLINK, 0, "asking for lo");
    batch.PutHeader(ifinfomsg{});
    batch.PutText(IFLA_IFNAME, "lo");
    std::vector<NetlinkReply> replies;
    ASSERT_TRUE(socket->Execute(&batch, &replies).ok());
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].Header<ifinfomsg>()->ifi_index, 1);
    // The same batch once more: numbers are dealt anew.
    ASSERT_TRUE(socket->Execute(&batch, &replies).ok());
    EXPECT_EQ(replies.size(), 2u);
  });
}

TEST(NetlinkSocketTest, ManyMessagesAndALongDump) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
    ASSERT_TRUE(socket.ok());
    NetlinkBatch link;
    AddLink(&link, "br0", "bridge");
    link.Begin(RTM_SETLINK, 0, "up");
    ifinfomsg up{};
    up.ifi_index = 2;
    up.ifi_flags = up.ifi_change = IFF_UP;
    link.PutHeader(up);
    ASSERT_TRUE(socket->Execute(&link).ok());
    NetlinkBatch batch;
    ndmsg neighbour{};
    neighbour.ndm_family = AF_INET;
    neighbour.ndm_ifindex = 2;
    neighbour.ndm_state = NUD_PERMANENT;
    constexpr uint32_t kNeighbours = 5000;
    for (uint32_t i = 0; i < kNeighbours; ++i) {
      batch.Begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, "adding a neighbour");
      batch.PutHeader(neighbour);
      batch.PutBe32(NDA_DST, 0x0a000001 + i);
      const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
      batch.Put(NDA_LLADDR, mac);
    }
    const auto added = socket->Execute(&batch);
    ASSERT_TRUE(added.ok()) << added.error().message();
    NetlinkBatch list;
    list.Begin(RTM_GETNEIGH, NLM_F_DUMP, "listing");
    list.PutHeader(ndmsg{});
    const auto all = socket->Dump(&list);
    ASSERT_TRUE(all.ok()) << all.error().message();
    // The kernel has some of its own, for multicast.
    EXPECT_EQ(std::ranges::count_if(*all,
                                    [](const NetlinkReply& reply) {
                                      return reply.Header<ndmsg>()->ndm_state == NUD_PERMANENT;
                                    }),
              kNeighbours);
  });
}

TEST(NetlinkSocketTest, InAnotherNamespace) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd other = NewNetns();
    ASSERT_TRUE(other);
    struct stat before{};
    ASSERT_EQ(stat("/proc/thread-self/ns/net", &before), 0);
    auto there = NetlinkSocket::OpenIn(NETLINK_ROUTE, other.get());
    ASSERT_TRUE(there.ok()) << there.error().message();
    struct stat after{};
    ASSERT_EQ(stat("/proc/thread-self/ns/net", &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    NetlinkBatch batch;
    AddLink(&batch, "br0", "bridge");
    ASSERT_TRUE(there->Execute(&batch).ok());
    EXPECT_EQ(if_nametoindex("br0"), 0u);
    InNetns(other.get(), [] { EXPECT_NE(if_nametoindex("br0"), 0u); });

    const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(NetlinkSocket::OpenIn(NETLINK_ROUTE, file.get()).ok());
    EXPECT_FALSE(NetlinkSocket::OpenIn(NETLINK_ROUTE, -1).ok());
  });
}

TEST(NetlinkSocketTest, WhatDoesNotFitFailsWhenItIsSent) {
  auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  ASSERT_TRUE(socket.ok());
  NetlinkBatch attribute;
  attribute.Begin(RTM_GETLINK, 0, "");
  attribute.PutHeader(ifinfomsg{});
  attribute.PutText(IFLA_IFNAME, std::string(65'531, 'x'));
  EXPECT_EQ(socket->Execute(&attribute).error().code(), Code::kResourceExhausted);
  NetlinkBatch nested;
  nested.Begin(RTM_GETLINK, 0, "");
  nested.PutHeader(ifinfomsg{});
  {
    const auto outer = nested.Nest(IFLA_LINKINFO);
    for (int i = 0; i < 2; ++i) nested.PutText(IFLA_INFO_KIND, std::string(40'000, 'x'));
  }
  EXPECT_EQ(socket->Execute(&nested).error().code(), Code::kResourceExhausted);
  NetlinkBatch nothing;
  EXPECT_TRUE(socket->Execute(&nothing).ok());
}

TEST(NetlinkSocketTest, DumpErrorsAreTold) {
  auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  ASSERT_TRUE(socket.ok());
  NetlinkBatch batch;
  batch.Begin(RTM_MAX + 100, NLM_F_DUMP, "asking nonsense");
  batch.PutHeader(ifinfomsg{});
  const auto replies = socket->Dump(&batch);
  ASSERT_FALSE(replies.ok());
  EXPECT_THAT(replies.error().message(), HasSubstr("asking nonsense"));
}

std::vector<uint8_t> Message(uint16_t type, uint16_t flags, std::vector<uint8_t> payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  std::vector<uint8_t> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

TEST(NetlinkParseTest, CutMessages) {
  const auto whole = Message(RTM_NEWLINK, 0, {1, 2, 3, 4});
  for (size_t size = 1; size < whole.size(); ++size) {
    std::vector<NetlinkReply> replies;
    EXPECT_FALSE(ParseNetlink(std::span(whole).first(size), &replies)) << size;
    EXPECT_THAT(replies, IsEmpty());
  }
  auto two = whole;
  two.insert(two.end(), whole.begin(), whole.end() - 1);
  std::vector<NetlinkReply> replies;
  EXPECT_FALSE(ParseNetlink(two, &replies));
  EXPECT_EQ(replies.size(), 1u);
  auto short_length = whole;
  short_length[0] = 15;
  EXPECT_FALSE(ParseNetlink(short_length, &replies));
}

TEST(NetlinkParseTest, AttributeLengthsAreBounded) {
  const std::vector<uint8_t> cases[] = {
      {}, {4}, {3, 0, 1, 0}, {0, 0, 0, 0}, {9, 0, 1, 0, 5, 5, 5, 5}, {255, 255, 1, 0}};
  for (const auto& bytes : cases) {
    NetlinkAttributes attributes(bytes);
    EXPECT_FALSE(attributes.Next());
    EXPECT_FALSE(attributes.Next());
  }
  // The last one's padding may be missing.
  const std::vector<uint8_t> unpadded{5, 0, 7, 0, 42};
  NetlinkAttributes attributes(unpadded);
  const auto attribute = attributes.Next();
  ASSERT_TRUE(attribute);
  EXPECT_EQ(attribute->Value<uint8_t>(), 42);
  EXPECT_FALSE(attribute->Value<uint16_t>());
  EXPECT_FALSE(attributes.Next());
}

TEST(NetlinkParseTest, ExtendedAckOfCutErrors) {
  nlmsgerr error{};
  error.error = -EINVAL;
  error.msg.nlmsg_len = 4000;  // a lie: the request is not there
  std::vector<uint8_t> payload(sizeof error);
  std::memcpy(payload.data(), &error, sizeof error);
  std::vector<NetlinkReply> replies;
  ASSERT_TRUE(ParseNetlink(Message(NLMSG_ERROR, NLM_F_ACK_TLVS, payload), &replies));
  EXPECT_EQ(ExtendedAck(replies[0]), "");
  replies[0].payload.resize(3);
  EXPECT_EQ(ExtendedAck(replies[0]), "");
}

TEST(NetlinkParseTest, WhatIsBuiltReadsBack) {
  rc::check("attributes read back as they were put", [](const std::vector<std::string>& texts) {
    std::vector<uint8_t> bytes;
    for (const std::string& text : texts) {
      const auto length = static_cast<uint16_t>(4 + text.size());
      bytes.insert(bytes.end(), {static_cast<uint8_t>(length), static_cast<uint8_t>(length >> 8),
                                 static_cast<uint8_t>(text.size() % 200), 0x80});
      bytes.insert(bytes.end(), text.begin(), text.end());
      while (bytes.size() % 4 != 0) bytes.push_back(0);
    }
    NetlinkAttributes attributes(bytes);
    for (const std::string& text : texts) {
      const auto attribute = attributes.Next();
      RC_ASSERT(attribute.has_value());
      RC_ASSERT(attribute->type == text.size() % 200);
      RC_ASSERT(std::string(attribute->bytes.begin(), attribute->bytes.end()) == text);
    }
    RC_ASSERT(!attributes.Next().has_value());
  });
}

}  // namespace
}  // namespace podium::kernel
