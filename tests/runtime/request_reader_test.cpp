#include "runtime/shim/request_reader.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace podium::runtime::shim {
namespace {

template <class T>
std::string Bytes(MessageType type, T message, uint32_t descriptors, const std::string& tail = "") {
  message.header = {.magic = kMessageMagic,
                    .version = kMessageVersion,
                    .type = type,
                    .length = static_cast<uint32_t>(sizeof(T) + tail.size()),
                    .descriptors = descriptors,
                    .id = 7};
  return std::string(reinterpret_cast<const char*>(&message), sizeof(T)) + tail;
}

int Read(const std::string& bytes, uint32_t descriptors, Request* request = nullptr) {
  Request unused;
  return ReadRequest({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()},
                     descriptors, request != nullptr ? request : &unused);
}

Target TargetOf(const char* id) {
  Target target = {};
  std::strncpy(target.id, id, kIdSize);
  return target;
}

CgroupDescriptors NoCgroups() { return {.folder = -1, .kill = -1, .procs_count = 0, .procs = {}}; }

RunSandbox Sandbox() {
  RunSandbox run = {};
  run.flags = kSandboxNewNet | kSandboxNewIpc | kSandboxNewUts | kSandboxNewPid;
  std::memcpy(run.id, "pod", 4);
  run.net = -1;
  run.listener = 0;
  run.run_dir = 1;
  run.infra = 2;
  run.cgroups = NoCgroups();
  return run;
}

TEST(RequestReaderTest, HeadersMustBeExact) {
  const std::string good = Bytes(MessageType::kState, Plain{}, 0);
  EXPECT_EQ(Read(good, 0), 0);
  EXPECT_EQ(Read(good, 1), EPROTO) << "a descriptor that is not announced";
  EXPECT_EQ(Read(good.substr(0, 10), 0), EPROTO);
  EXPECT_EQ(Read("", 0), EPROTO);
  for (const size_t at : {size_t{0}, offsetof(Header, length)}) {
    std::string bad = good;
    ++bad[at];
    EXPECT_EQ(Read(bad, 0), EPROTO) << at;
  }
  EXPECT_EQ(Read(Bytes(static_cast<MessageType>(63), Plain{}, 0), 0), EOPNOTSUPP);
  EXPECT_EQ(Read(Bytes(MessageType::kDone, Plain{}, 0), 0), EOPNOTSUPP) << "a reply";
}

TEST(RequestReaderTest, ANewersZerosAreIgnoredAndItsWordsAreNot) {
  EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, TargetOf("c1"), 0, std::string(16, '\0')), 0),
            0);
  EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, TargetOf("c1"), 0, "new"), 0), EPROTO);
  EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, Plain{}, 0), 0), EPROTO) << "too short";
}

// Hello is longer than in version 1.
TEST(RequestReaderTest, AnOldersMissingWordsAreZero) {
  Hello hello = {};
  hello.log_bound = 7;
  std::string bytes = Bytes(MessageType::kHello, hello, 0);
  Request request;
  EXPECT_EQ(Read(bytes, 0, &request), 0);
  EXPECT_EQ(request.body.hello.log_bound, 7U);
  const auto cut = [&](uint32_t size) {
    bytes.resize(size);
    std::memcpy(bytes.data() + offsetof(Header, length), &size, sizeof size);
    return Read(bytes, 0, &request);
  };
  EXPECT_EQ(cut(offsetof(Hello, log_bound)), 0);
  EXPECT_EQ(request.body.hello.log_bound, 0U);
  EXPECT_EQ(cut(offsetof(Hello, log_bound) - 1), EPROTO);
}

TEST(RequestReaderTest, IdsAreFileNames) {
  for (const char* id : {"c1", "A-b_c.9", "..."}) {
    EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, TargetOf(id), 0), 0), 0) << id;
  }
  for (const char* id : {"", ".", "..", "a/b", "../x", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, TargetOf(id), 0), 0), EINVAL) << id;
  }
  Target endless = {};
  std::memset(endless.id, 'x', kIdSize);
  EXPECT_EQ(Read(Bytes(MessageType::kStartContainer, endless, 0), 0), EINVAL);
}

TEST(RequestReaderTest, EachDescriptorIsNamedOnce) {
  RunSandbox run = Sandbox();
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), 0);
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 4), 4), EINVAL) << "one is not named";
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 2), 2), EINVAL) << "one is not there";
  run.run_dir = 0;
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), EINVAL) << "one is named twice";
  run = Sandbox();
  run.run_dir = -2;
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), EINVAL);
  run = Sandbox();
  run.cgroups.procs_count = kMaxCgroups + 1;
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), EINVAL);

  CreateContainer create = {};
  std::memcpy(create.id, "c1", 3);
  create.log = -1;
  create.cgroups = NoCgroups();
  create.first_plan_descriptor = 1;
  create.plan_descriptor_count = 2;
  EXPECT_EQ(Read(Bytes(MessageType::kCreateContainer, create, 3), 3), 0);
  create.plan_descriptor_count = 0xffffffff;
  EXPECT_EQ(Read(Bytes(MessageType::kCreateContainer, create, 3), 3), EINVAL);
  create.first_plan_descriptor = 0xffffffff;
  create.plan_descriptor_count = 3;
  EXPECT_EQ(Read(Bytes(MessageType::kCreateContainer, create, 3), 3), EINVAL);
}

TEST(RequestReaderTest, SandboxesAreWhole) {
  const auto read = [](auto change, const std::string& tail = "") {
    RunSandbox run = Sandbox();
    change(run);
    return Read(Bytes(MessageType::kRunSandbox, run, 3, tail), 3);
  };
  EXPECT_EQ(read([](RunSandbox& run) { run.flags |= 1U << 31; }), EINVAL);
  EXPECT_EQ(read([](RunSandbox& run) { run.flags |= kSandboxNewUser; }), EINVAL) << "no mappings";
  EXPECT_EQ(read([](RunSandbox& run) { run.uid_mapping_count = 1; }), EINVAL);
  EXPECT_EQ(read([](RunSandbox& run) {
              run.flags |= kSandboxNewUser;
              run.uid_mapping_count = run.gid_mapping_count = kMaxIdMappings + 1;
            }),
            EINVAL);
  EXPECT_EQ(read([](RunSandbox& run) {
              run.flags &= ~uint32_t{kSandboxNewUts};
              run.hostname[0] = 'x';
            }),
            EINVAL);
  EXPECT_EQ(read([](RunSandbox& run) { std::memset(run.hostname, 'x', kHostnameSize); }), EINVAL);
  EXPECT_EQ(read([](RunSandbox& run) { run.flags |= kSandboxPrepare; }), EINVAL) << "has a name";
}

TEST(RequestReaderTest, SysctlsFollow) {
  using namespace std::string_literals;
  const auto read = [](uint32_t count, const std::string& tail, Request* request = nullptr) {
    RunSandbox run = Sandbox();
    run.sysctl_count = count;
    run.sysctl_offset = sizeof(run);
    return Read(Bytes(MessageType::kRunSandbox, run, 3, tail), 3, request);
  };
  EXPECT_EQ(read(1, "net/ipv4/ip_forward\0"s + "1\0"s), 0);
  EXPECT_EQ(read(2, "net/ipv4/ip_forward\0"s + "1\0"s + "kernel/sem\0"s + "1 2 3 4\0"s), 0);
  EXPECT_EQ(read(1, "net/ipv4/ip_forward\0"s + "1"s), EINVAL) << "no end";
  EXPECT_EQ(read(2, "net/ipv4/ip_forward\0"s + "1\0"s), EINVAL) << "one is missing";
  EXPECT_EQ(read(0, "net/ipv4/ip_forward\0"s + "1\0"s), EINVAL) << "one too many";
  EXPECT_EQ(read(0xffffffff, ""), EINVAL);
  EXPECT_EQ(read(1, "kernel/core_pattern\0"s + "|x\0"s), EINVAL);
  RunSandbox run = Sandbox();
  run.sysctl_offset = 0xffffff00;
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), EINVAL);
  run.sysctl_offset = 8;
  EXPECT_EQ(Read(Bytes(MessageType::kRunSandbox, run, 3), 3), EINVAL);
}

TEST(RequestReaderTest, SignalsAreNumbersOfSignals) {
  Signal signal = {};
  signal.kind = ProcessKind::kContainer;
  std::memcpy(signal.id, "c1", 3);
  signal.signal = 15;
  EXPECT_EQ(Read(Bytes(MessageType::kSignal, signal, 0), 0), 0);
  for (const int32_t number : {0, -1, 65}) {
    signal.signal = number;
    EXPECT_EQ(Read(Bytes(MessageType::kSignal, signal, 0), 0), EINVAL) << number;
  }
  signal.signal = 9;
  signal.kind = static_cast<ProcessKind>(4);
  EXPECT_EQ(Read(Bytes(MessageType::kSignal, signal, 0), 0), EINVAL);
}

}  // namespace
}  // namespace podium::runtime::shim
