#include "image/registry_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace podium::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FileReader Files(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return Error(Code::kNotFound, path + ": No such file or directory");
    return found->second;
  };
}

TEST(RegistryConfigTest, ReadsAllOfIt) {
  RegistryOptions options;
  const auto read = ReadRegistryOptions(
      R"({"registries": {
            "docker.io": {"mirrors": ["https://mirror.example/hub", "http://10.0.0.1:5000"]},
            "r.example:5000": {"plainHTTP": true, "skipVerify": true, "caFile": "/ca",
                               "certFile": "/cert", "keyFile": "/key"}},
          "parallelLayers": 5, "maxLayerSize": 1000, "maxImageSize": 20000000000})",
      Files({{"/ca", "CA"}, {"/cert", "CERT"}, {"/key", "KEY"}}), &options);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_THAT(options.registries["docker.io"].mirrors,
              ElementsAre("https://mirror.example/hub", "http://10.0.0.1:5000"));
  const RegistrySettings& settings = options.registries["r.example:5000"];
  EXPECT_TRUE(settings.plain_http);
  EXPECT_TRUE(settings.tls.skip_verify);
  EXPECT_EQ(settings.tls.extra_roots, "CA");
  EXPECT_EQ(settings.tls.certificate, "CERT");
  EXPECT_EQ(settings.tls.key, "KEY");
  EXPECT_EQ(options.parallel_layers, 5);
  EXPECT_EQ(options.max_layer_size, 1000);
  EXPECT_EQ(options.max_image_size, 20'000'000'000);
  EXPECT_TRUE(ReadRegistryOptions("{}", Files({}), &options).ok());
  EXPECT_EQ(options.parallel_layers, 5);
}

TEST(RegistryConfigTest, MistakesAreNamed) {
  const auto error = [](std::string_view json) {
    RegistryOptions options;
    const auto read = ReadRegistryOptions(json, Files({{"/ca", "CA"}}), &options);
    if (read.ok()) return std::string("no error");
    EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
    return read.error().message();
  };
  EXPECT_EQ(error("[]"), "not a JSON object");
  EXPECT_THAT(error("{"), HasSubstr("offset"));
  EXPECT_EQ(error(R"({"mirror": 1})"), "mirror: unknown");
  EXPECT_EQ(error(R"({"registries": 1})"), "registries: not an object");
  EXPECT_EQ(error(R"({"registries": {"a": 1}})"), R"(registries["a"]: not an object)");
  EXPECT_EQ(error(R"({"registries": {"a": {"b": 1}}})"), R"(registries["a"].b: unknown)");
  EXPECT_EQ(error(R"({"registries": {"a": {"plainHTTP": "yes"}}})"),
            R"(registries["a"].plainHTTP: neither true nor false)");
  EXPECT_EQ(error(R"({"registries": {"a": {"mirrors": "x"}}})"),
            R"(registries["a"].mirrors: not a list)");
  EXPECT_EQ(error(R"({"registries": {"a": {"mirrors": [1]}}})"),
            R"(registries["a"].mirrors: not a list of URLs)");
  EXPECT_THAT(error(R"({"registries": {"a": {"mirrors": ["mirror.example"]}}})"),
              HasSubstr(R"(registries["a"].mirrors: )"));
  EXPECT_EQ(error(R"({"registries": {"a": {"caFile": "/none"}}})"),
            R"(registries["a"].caFile: /none: No such file or directory)");
  EXPECT_EQ(error(R"({"registries": {"a": {"certFile": "/ca"}}})"),
            R"(registries["a"]: certFile and keyFile belong together)");
  for (const char* count : {"0", "65", "-1", "1.5", "\"3\"", "null"}) {
    EXPECT_THAT(error(std::string(R"({"parallelLayers": )") + count + "}"),
                HasSubstr("parallelLayers: not "));
  }
}

TEST(MachineKeyringTest, OfDockerLogin) {
  const FileReader files =
      Files({{"/home/me/.docker/config.json",
              R"({"auths": {"r.io": {"username": "home", "password": "x"}}})"},
             {"/etc/d/config.json", R"({"auths": {"r.io": {"username": "etc", "password": "x"}}})"},
             {"/bad/config.json", "{"}});
  const auto user = [&](std::map<std::string, std::string> variables) -> std::string {
    const auto keyring = ReadMachineKeyring(
        [&](const char* name) {
          const auto found = variables.find(name);
          return found == variables.end() ? nullptr : found->second.c_str();
        },
        files, nullptr);
    if (!keyring.ok()) return keyring.error().message();
    const auto found = *keyring->Lookup("r.io/app");
    return found.empty() ? "" : found[0].username;
  };
  EXPECT_EQ(user({{"HOME", "/home/me"}}), "home");
  EXPECT_EQ(user({{"HOME", "/home/me"}, {"DOCKER_CONFIG", "/etc/d"}}), "etc");
  EXPECT_EQ(user({{"HOME", "/nowhere"}}), "");
  EXPECT_EQ(user({}), "");
  EXPECT_THAT(user({{"DOCKER_CONFIG", "/bad"}}), HasSubstr("/bad/config.json: Docker's config"));
}

TEST(MachineKeyringTest, FilesOfTheDisk) {
  EXPECT_FALSE(ReadSmallFile()("/proc/self/status")->empty());
  EXPECT_EQ(ReadSmallFile()("/nowhere/at/all").error().code(), Code::kNotFound);
  EXPECT_EQ(ReadSmallFile()("/dev/zero").error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace podium::image
