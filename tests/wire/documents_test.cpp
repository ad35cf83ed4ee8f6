// Documents as runtimes, plugins, registries and image tools write them: each is read strictly, so
// that no field of it is unknown, and written again with nothing lost or added.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "wire/types/cni.h"
#include "wire/types/oci_distribution.h"
#include "wire/types/oci_image.h"
#include "wire/types/oci_runtime.h"

namespace podium::wire {
namespace {

std::string Read(const std::string& name) {
  std::ifstream in(std::string(PODIUM_SOURCE_DIR "/tests/wire/documents/") + name,
                   std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
T Decode(const std::string& text) {
  T object;
  const auto problems = reflect::DecodeJson(text, reflect::TypeOf<T>(), &object);
  EXPECT_TRUE(problems.empty()) << problems[0].Text() << "\n" << text;
  return object;
}

template <class T>
std::string Encode(const T& object) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(reflect::TypeOf<T>(), &object, &out).ok());
  return out;
}

TEST(DocumentsTest, AreWrittenAsTheyWereRead) {
  struct Case {
    const char* file;
    const reflect::Type& type;
  };
  const Case cases[] = {
      {"runtime_config.json", oci_runtime::kSpecType},
      {"runtime_features.json", oci_runtime::kFeaturesType},
      {"runtime_state.json", oci_runtime::kStateType},
      {"cni_list.json", cni::kNetworkListType},
      {"cni_plugin.json", cni::kPluginConfigType},
      {"cni_result.json", cni::kResultType},
      {"cni_error.json", cni::kErrorType},
      {"oci_index.json", oci_image::kIndexType},
      {"oci_manifest.json", oci_image::kManifestType},
      {"oci_image.json", oci_image::kImageType},
      {"distribution_errors.json", oci_distribution::kErrorResponseType},
      {"distribution_tags.json", oci_distribution::kTagListType},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.file);
    const std::string text = Read(c.file);
    reflect::AnyObject object(c.type);
    const auto problems = reflect::DecodeJson(text, c.type, object.get());
    ASSERT_TRUE(problems.empty()) << problems[0].Text();
    std::string written;
    ASSERT_TRUE(reflect::EncodeJson(c.type, object.get(), &written).ok());
    const auto before = reflect::ParseJson(text);
    const auto after = reflect::ParseJson(written);
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_TRUE(reflect::Equivalent(*before, *after)) << written;
  }
}

TEST(DocumentsTest, RuntimeConfigMeansWhatItSays) {
  const auto spec = Decode<oci_runtime::Spec>(Read("runtime_config.json"));
  EXPECT_EQ(spec.process->rlimits[0].hard, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(spec.process->oomScoreAdj, -997);
  EXPECT_EQ(spec.process->user.additionalGids[1], 4294967295u);
  const oci_runtime::Linux& system = *spec.linux_;
  EXPECT_EQ(system.resources->memory->swap, -1);
  EXPECT_FALSE(system.resources->memory->reservation.has_value());
  EXPECT_EQ(system.resources->pids->limit, 0);
  EXPECT_EQ(system.resources->hugepageLimits[0].limit, 9007199254740993u);
  EXPECT_FALSE(system.resources->devices[0].major_.has_value());
  EXPECT_EQ(system.namespaces[1].path, "/proc/4711/ns/net");
  EXPECT_EQ(spec.hooks->poststop[0].timeout, 0);
  EXPECT_EQ(spec.windows.text, R"({"layerFolders":["C:\\Layers\\layer1"],"servicing":false})");
}

TEST(DocumentsTest, MinimalDocumentsHaveTheirRequiredKeys) {
  EXPECT_EQ(Encode(oci_runtime::State{}), R"({"ociVersion":"","id":"","status":"","bundle":""})");
  EXPECT_EQ(Encode(cni::Result{}), "{}");
  EXPECT_EQ(Encode(cni::Error{}), R"({"code":0,"msg":""})");
  EXPECT_EQ(Encode(oci_image::Image{}),
            R"({"architecture":"","os":"","rootfs":{"type":"","diff_ids":null}})");
  oci_image::Manifest manifest;
  manifest.schemaVersion = 2;
  manifest.layers.present = true;
  EXPECT_EQ(Encode(manifest),
            R"({"schemaVersion":2,"config":{"mediaType":"","digest":"","size":0},"layers":[]})");
}

// A plugin's own keys reach it as they were written.
TEST(DocumentsTest, PluginsOfAListAreKeptWhole) {
  const auto list = Decode<cni::NetworkList>(Read("cni_list.json"));
  ASSERT_EQ(list.plugins.size(), 3u);
  EXPECT_EQ(
      list.plugins[1].text,
      R"({"type":"tuning","capabilities":{"mac":true},"sysctl":{"net.core.somaxconn":"500"}})");
  cni::PluginConfig config;
  const auto problems = reflect::DecodeJson(list.plugins[0].text, cni::kPluginConfigType, &config);
  EXPECT_EQ(problems.size(), 2u);  // bridge and keyA are the plugin's own
  EXPECT_EQ(config.type, "bridge");
  EXPECT_EQ(config.dns.nameservers[0], "10.1.0.1");
}

TEST(DocumentsTest, IndexesOfInterfacesTellNoneFromTheFirst) {
  const auto result = Decode<cni::Result>(Read("cni_result.json"));
  EXPECT_EQ(result.ips[0].interface, 2);
  EXPECT_EQ(result.ips[1].interface, 0);
  EXPECT_EQ(result.routes[1].table, 0);
  EXPECT_FALSE(result.routes[0].table.has_value());
  EXPECT_EQ(Encode(cni::IPConfig{}), R"({"address":""})");
}

TEST(DocumentsTest, WrongTypesAreNamed) {
  for (const char* text :
       {R"({"code":-1,"msg":""})", R"({"code":4294967296,"msg":""})", R"({"code":"7","msg":""})"}) {
    cni::Error error;
    EXPECT_FALSE(reflect::DecodeJson(text, cni::kErrorType, &error).empty()) << text;
  }
}

}  // namespace
}  // namespace podium::wire
