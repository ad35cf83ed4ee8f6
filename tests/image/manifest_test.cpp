#include "image/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace podium::image {
namespace {

using ::testing::HasSubstr;

constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";

std::string Text(const Digest& digest, size_t size, const std::string& type,
                 const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest.String() + R"(","size":)" +
         std::to_string(size) + more + "}";
}

std::string Config(const std::string& architecture, size_t layers = 1) {
  std::string ids;
  for (size_t i = 0; i < layers; ++i) {
    ids += (i ? ",\"" : "\"") + DigestOf(std::to_string(i)).String() + '"';
  }
  return R"({"architecture":")" + architecture + R"(","os":"linux","rootfs":{"type":"layers",)" +
         R"("diff_ids":[)" + ids + "]}}";
}

std::string ManifestOf(const std::string& config, size_t layers = 1) {
  std::string list;
  for (size_t i = 0; i < layers; ++i) {
    list += (i ? "," : "") + Text(DigestOf("layer" + std::to_string(i)), 5,
                                  "application/vnd.oci.image.layer.v1.tar+gzip");
  }
  return R"({"schemaVersion":2,"config":)" +
         Text(DigestOf(config), config.size(), "application/vnd.oci.image.config.v1+json") +
         R"(,"layers":[)" + list + "]}";
}

TEST(ManifestTest, ReadsBothKinds) {
  const std::string config = Config("amd64");
  auto manifest = ReadManifest(ManifestOf(config));
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  EXPECT_EQ(std::get<Manifest>(*manifest).layers.size(), 1u);

  const std::string index = R"({"schemaVersion":2,"mediaType":")" + std::string(kOciIndex) +
                            R"(","manifests":[)" + Text(DigestOf("m"), 1, kOciManifest) + "]}";
  // The document's own word wins.
  auto read = ReadManifest(index, kOciManifest);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(std::get<Index>(*read).manifests.size(), 1u);
  EXPECT_TRUE(IsIndexType("application/vnd.oci.image.index.v1+json; charset=utf-8"));
}

TEST(ManifestTest, RefusesWhatIsNoImage) {
  auto error = [](const std::string& json, const char* type = "") {
    auto read = ReadManifest(json, type);
    return read.ok() ? "none" : read.error().message();
  };
  const std::string good = ManifestOf(Config("amd64"));
  EXPECT_THAT(error("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("reading a manifest"));
  EXPECT_THAT(error(R"({"schemaVersion":1,"name":"x"})"), HasSubstr("schema 1"));
  EXPECT_THAT(error(R"({"schemaVersion":2,"fsLayers":[]})"), HasSubstr("schema 1"));
  EXPECT_THAT(error("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"),
              HasSubstr("please rebuild the image as"));
  EXPECT_THAT(error(R"({"schemaVersion":3})"), HasSubstr("schema version 3"));
  // One image to whoever looks at the one field, another to whoever looks at the other.
  EXPECT_THAT(error(R"({"schemaVersion":2,"manifests":[],"layers":[]})"), HasSubstr("ambiguous"));
  EXPECT_THAT(error(R"({"schemaVersion":2,"manifests":[]})", kOciManifest),
              HasSubstr("fields of an index"));
  EXPECT_THAT(error(good, kOciIndex), HasSubstr("fields of a manifest"));
  EXPECT_THAT(error(R"({"schemaVersion":2,"config":{"mediaType":"application/x-chart"}})"),
              HasSubstr("artifact"));
  EXPECT_THAT(error(R"({"schemaVersion":2,"config":{"digest":"sha256:../../etc","size":1}})"),
              HasSubstr("digest"));
  EXPECT_THAT(error(std::string(kMaxManifestSize + 1, ' ')), HasSubstr("more than"));
  EXPECT_THAT(error(ManifestOf(Config("amd64"), kMaxLayers + 1)), HasSubstr("501 layers"));
  EXPECT_EQ(error(ManifestOf(Config("amd64"), kMaxLayers)), "none");
  EXPECT_THAT(error(std::string(100000, '[')), HasSubstr("reading a manifest"));
}

TEST(ManifestTest, AConfigHasADiffIdForEachLayer) {
  EXPECT_TRUE(ReadImageDocument(Config("amd64", 3), 3).ok());
  EXPECT_THAT(ReadImageDocument(Config("amd64", 3), 2).error().message(),
              HasSubstr("3 diff_ids, but its manifest has 2 layers"));
  EXPECT_FALSE(ReadImageDocument(R"({"rootfs":{"diff_ids":["sha256:../.."]}})", 1).ok());
  EXPECT_EQ(ReadImageDocument(std::string(kMaxConfigSize + 1, ' '), 0).error().code(),
            Code::kResourceExhausted);
}

TEST(ManifestTest, KnowsTheLayersItCanUnpack) {
  auto compression = [](std::string_view type) { return *LayerCompression(type); };
  EXPECT_EQ(compression("application/vnd.oci.image.layer.v1.tar"), Compression::kNone);
  EXPECT_EQ(compression("application/vnd.oci.image.layer.v1.tar+gzip"), Compression::kGzip);
  EXPECT_EQ(compression("application/vnd.oci.image.layer.v1.tar+zstd"), Compression::kZstd);
  EXPECT_EQ(compression("application/vnd.docker.image.rootfs.diff.tar.gzip"), Compression::kGzip);
  EXPECT_EQ(compression("application/vnd.docker.image.rootfs.diff.tar"), Compression::kNone);
  EXPECT_EQ(compression("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
            Compression::kGzip);
  for (const char* other : {"", "application/vnd.oci.image.layer.v1.tar+encrypted",
                            "application/vnd.oci.empty.v1+json"}) {
    EXPECT_EQ(LayerCompression(other).error().code(), Code::kUnsupported) << other;
  }
}

class FindManifestTest : public ::testing::Test {
 protected:
  Descriptor Add(const std::string& bytes, const char* type) {
    Descriptor descriptor;
    descriptor.mediaType = type;
    descriptor.digest = DigestOf(bytes).String();
    descriptor.size = static_cast<int64_t>(bytes.size());
    documents_[descriptor.digest] = bytes;
    return descriptor;
  }
  Descriptor Image(const std::string& architecture) {
    const std::string config = Config(architecture);
    Add(config, "");
    return Add(ManifestOf(config), kOciManifest);
  }
  static std::string Entry(const Descriptor& descriptor, const std::string& architecture) {
    return Text(*Digest::Parse(descriptor.digest), static_cast<size_t>(descriptor.size),
                descriptor.mediaType,
                architecture.empty()
                    ? ""
                    : R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}");
  }
  Descriptor IndexOf(const std::string& entries) {
    return Add(R"({"schemaVersion":2,"manifests":[)" + entries + "]}", kOciIndex);
  }
  Result<FoundManifest> Find(const Descriptor& root) {
    fetched_ = 0;
    return FindManifest(root, PlatformMatcher(*ParsePlatform("linux/amd64")),
                        [this](const Descriptor& wanted, uint64_t) -> Result<std::string> {
                          ++fetched_;
                          const auto found = documents_.find(wanted.digest);
                          if (found == documents_.end()) return Error(Code::kNotFound, "gone");
                          return found->second;
                        });
  }

  std::map<std::string, std::string> documents_;
  int fetched_ = 0;
};

TEST_F(FindManifestTest, TakesTheBestForTheMachine) {
  const Descriptor arm = Image("arm64");
  const Descriptor small = Image("386");
  const Descriptor amd = Image("amd64");
  const auto found =
      Find(IndexOf(Entry(arm, "arm64") + ',' + Entry(small, "386") + ',' + Entry(amd, "amd64")));
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found->descriptor.digest, amd.digest);
  EXPECT_EQ(fetched_, 2);

  EXPECT_EQ(Find(IndexOf(Entry(small, "386")))->descriptor.digest, small.digest);
  // An image that stands for itself is what was asked for.
  EXPECT_EQ(Find(arm)->descriptor.digest, arm.digest);

  const auto none = Find(IndexOf(Entry(arm, "arm64")));
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  EXPECT_THAT(none.error().message(), HasSubstr("no match for platform in manifest sha256:"));
  EXPECT_THAT(none.error().message(), HasSubstr("the image is for linux/arm64"));
}

TEST_F(FindManifestTest, AsksTheConfigWhereTheIndexDoesNotSay) {
  const Descriptor arm = Image("arm64");
  const Descriptor amd = Image("amd64");
  EXPECT_EQ(Find(IndexOf(Entry(arm, "") + ',' + Entry(amd, "")))->descriptor.digest, amd.digest);
  EXPECT_FALSE(Find(IndexOf(Entry(arm, ""))).ok());
  const Descriptor inner = IndexOf(Entry(amd, "amd64"));
  EXPECT_EQ(Find(IndexOf(Entry(arm, "arm64") + ',' + Entry(inner, "")))->descriptor.digest,
            amd.digest);
}

TEST_F(FindManifestTest, NestedIndexesEnd) {
  Descriptor inner = IndexOf(Entry(Image("amd64"), "amd64"));
  for (int i = 1; i < kMaxIndexDepth; ++i) inner = IndexOf(Entry(inner, ""));
  EXPECT_TRUE(Find(inner).ok());
  EXPECT_EQ(Find(IndexOf(Entry(inner, ""))).error().code(), Code::kResourceExhausted);
  // Wide and deep: every entry names the same index below.
  Descriptor wide = IndexOf(Entry(Image("arm64"), "arm64"));
  for (int i = 1; i < kMaxIndexDepth; ++i) {
    std::string entries = Entry(wide, "");
    for (int j = 0; j < 40; ++j) entries += ',' + Entry(wide, "");
    wide = IndexOf(entries);
  }
  EXPECT_EQ(Find(wide).error().code(), Code::kResourceExhausted);
  EXPECT_LE(fetched_, static_cast<int>(kMaxIndexEntries) + 1);
}

}  // namespace
}  // namespace podium::image
