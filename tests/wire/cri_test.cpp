#include "wire/types/cri.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "reflect/json.h"
#include "reflect/protobuf.h"
#include "wire/cri_methods.h"

namespace podium::wire {
namespace {

using namespace std::string_literals;

template <class T>
std::string Bytes(const T& message) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeProtobuf(reflect::TypeOf<T>(), &message, &out).ok());
  return out;
}

template <class T>
std::string Json(const T& message) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(reflect::TypeOf<T>(), &message, &out).ok());
  return out;
}

TEST(CriMethodsTest, AreFoundByPath) {
  const reflect::Method* run = FindCriMethod("/runtime.v1.RuntimeService/RunPodSandbox");
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->request, &cri::kRunPodSandboxRequestType);
  EXPECT_EQ(run->response, &cri::kRunPodSandboxResponseType);
  EXPECT_FALSE(run->server_stream);
  const reflect::Method* pull = FindCriMethod("/runtime.v1.ImageService/PullImage");
  ASSERT_NE(pull, nullptr);
  EXPECT_EQ(pull->request, &cri::kPullImageRequestType);
  EXPECT_TRUE(FindCriMethod("/runtime.v1.RuntimeService/GetContainerEvents")->server_stream);
  EXPECT_EQ(FindCriMethod("/runtime.v1.ImageService/RunPodSandbox"), nullptr);
  EXPECT_EQ(FindCriMethod("runtime.v1.RuntimeService/Version"), nullptr);
  EXPECT_EQ(FindCriMethod(""), nullptr);
}

TEST(CriMethodsTest, EachIsFoundAndPathsAreUnique) {
  std::set<std::string_view> paths;
  for (const auto& service : {cri::kRuntimeServiceMethods, cri::kImageServiceMethods}) {
    for (const reflect::Method& method : service) {
      EXPECT_EQ(FindCriMethod(method.path), &method);
      EXPECT_TRUE(paths.insert(method.path).second) << method.path;
    }
  }
  EXPECT_EQ(paths.size(), 41u);
}

// Bytes worked out by hand from the encoding's specification.
TEST(CriMessagesTest, ArePlainProto3) {
  cri::VersionResponse version{.version = "0.1.0",
                               .runtime_name = "podium",
                               .runtime_version = "",
                               .runtime_api_version = "v1"};
  EXPECT_EQ(Bytes(version), "\x0a\x05"s + "0.1.0" + "\x12\x06" + "podium" + "\x22\x02" + "v1");
  // Zero scalars and the first value of an enum are left out.
  cri::PortMapping port{
      .protocol = cri::Protocol::kTcp, .container_port = 80, .host_port = -1, .host_ip = ""};
  EXPECT_EQ(Bytes(port), "\x10\x50\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  port.protocol = cri::Protocol::kSctp;
  EXPECT_EQ(Bytes(port).substr(0, 2), "\x08\x02"s);
  // Maps: an entry with key 1 and value 2 each, in the order of keys.
  cri::PodSandboxFilter filter;
  filter.label_selector = {{"b", ""}, {"a", "1"}};
  EXPECT_EQ(Bytes(filter),
            "\x1a\x06\x0a\x01"s + "a" + "\x12\x01" + "1" + "\x1a\x05\x0a\x01" + "b" + "\x12\x00"s);
  // Repeated numbers are packed.
  cri::LinuxContainerSecurityContext context;
  context.supplemental_groups = {1, 300};
  EXPECT_EQ(Bytes(context), "\x42\x03\x01\xac\x02"s);
  // A message that is there but empty is not the same as none.
  cri::RunPodSandboxRequest request;
  EXPECT_EQ(Bytes(request), "");
  request.config.ensure();
  EXPECT_EQ(Bytes(request), "\x0a\x00"s);
}

TEST(CriMessagesTest, AreReadWhateverTheWriterChose) {
  // Unpacked numbers, an unknown field, a map entry with its value first, a field given twice.
  const std::string bytes = "\x40\x01\x40\xac\x02\xa0\x06\x07"s;
  cri::LinuxContainerSecurityContext context;
  ASSERT_TRUE(
      reflect::DecodeProtobuf(bytes, cri::kLinuxContainerSecurityContextType, &context).ok());
  EXPECT_EQ(context.supplemental_groups, (std::vector<int64_t>{1, 300}));

  cri::PodSandboxFilter filter;
  ASSERT_TRUE(reflect::DecodeProtobuf("\x1a\x06\x12\x01"s + "1" + "\x0a\x01" + "a" + "\x0a\x01" +
                                          "x" + "\x0a\x01" + "y",
                                      cri::kPodSandboxFilterType, &filter)
                  .ok());
  EXPECT_EQ(filter.label_selector.at("a"), "1");
  EXPECT_EQ(filter.id, "y");
}

TEST(CriMessagesTest, TruncatedOnesAreRefused) {
  cri::VersionResponse version;
  for (const std::string& bytes :
       {"\x0a"s, "\x0a\x05"s + "0.1", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
    EXPECT_FALSE(reflect::DecodeProtobuf(bytes, cri::kVersionResponseType, &version).ok());
  }
}

// As crictl prints it.
TEST(CriMessagesTest, JsonIsProtobufsOwn) {
  cri::ContainerStatus status;
  status.state = cri::ContainerState::kContainerExited;
  status.created_at = 1753000000000000000;
  status.exit_code = 137;
  status.image_ref = "sha256:ab";
  EXPECT_EQ(Json(status), R"({"state":"CONTAINER_EXITED","createdAt":"1753000000000000000",)"
                          R"("exitCode":137,"imageRef":"sha256:ab"})");
}

}  // namespace
}  // namespace podium::wire
