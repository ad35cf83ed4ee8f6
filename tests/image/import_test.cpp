#include "image/import.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "image/export.h"
#include "image/image_builder.h"
#include "image/tar_builder.h"
#include "image/temporary_folder.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() { store_ = OpenStore("images"); }

  std::unique_ptr<ImageStore> OpenStore(const char* name) {
    auto store = ImageStore::Open((folder_.path() / name).string());
    EXPECT_TRUE(store.ok()) << store.error().message();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Through a pipe, so that nothing can be read twice.
  Result<std::vector<ImageInfo>> Import(const std::string& bytes,
                                        const ImportOptions& options = {}) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd out(ends[0]);
    std::thread writer([&bytes, fd = ends[1]] {
      const UniqueFd in(fd);
      for (size_t at = 0; at < bytes.size();) {
        const ssize_t count = write(in.get(), bytes.data() + at, bytes.size() - at);
        if (count <= 0) break;
        at += static_cast<size_t>(count);
      }
    });
    auto images = ImportArchive(*store_, out.get(), options);
    // What it left unread, so that the writer ends.
    char rest[65536];
    while (read(out.get(), rest, sizeof rest) > 0) continue;
    writer.join();
    return images;
  }
  std::string ErrorOf(const std::string& bytes, const ImportOptions& options = {}) {
    const auto images = Import(bytes, options);
    return images.ok() ? "" : images.error().message();
  }
  ImageInfo ImportOne(const std::string& bytes, const ImportOptions& options = {}) {
    const auto images = Import(bytes, options);
    EXPECT_TRUE(images.ok()) << images.error().message();
    if (!images.ok() || images->size() != 1) {
      ADD_FAILURE() << "not one image";
      return {};
    }
    return images->front();
  }
  static std::string Content(const ImageInfo& image, size_t layer, const std::string& name) {
    if (layer >= image.layers.size()) return "(no such layer)";
    std::ifstream file(fs::path(image.layers[layer]) / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  std::unique_ptr<ImageStore> store_;
};

std::string LayerTar(const std::string& text) { return TarBuilder().File("file", text).Finish(); }

std::string BlobName(const std::string& bytes) { return "blobs/sha256/" + DigestOf(bytes).hex; }

ImageBuilder TwoLayers(const std::string& architecture = "amd64") {
  ImageBuilder builder;
  builder.architecture = architecture;
  builder.Layer(LayerTar("lower"));
  const std::string upper = LayerTar("upper" + architecture);
  builder.Layer(upper, Gzip(upper), "application/vnd.oci.image.layer.v1.tar+gzip");
  return builder;
}

// A layout in the order that is worst: what is needed first comes last.
void AddBlobs(const ImageBuilder& image, TarBuilder* tar) {
  for (const auto& layer : image.layers) tar->File(BlobName(layer.bytes), layer.bytes);
  tar->File(BlobName(image.Config()), image.Config());
  tar->File(BlobName(image.Manifest()), image.Manifest());
}

std::string Entry(const std::string& manifest, const std::string& more) {
  std::string text = DescriptorText(manifest, "application/vnd.oci.image.manifest.v1+json");
  text.pop_back();
  return text + more + '}';
}

std::string IndexWith(const std::string& entries) {
  return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
}

constexpr const char* kLayout = R"({"imageLayoutVersion":"1.0.0"})";

TEST_F(ImportTest, DockerSaveOfTheOldForm) {
  const std::string first = LayerTar("first");
  const std::string second = LayerTar("second");
  ImageBuilder image;
  image.Layer(first).Layer(second).Layer(first);
  const std::string config = image.Config();
  const std::string id(64, 'a');
  const std::string other(64, 'b');
  const std::string third(64, 'c');
  const std::string archive =
      TarBuilder()
          .Folder(id + '/')
          .File(id + "/VERSION", "1.0")
          .File(id + "/json", "{}")
          .File(id + "/layer.tar", first)
          .Folder(other + '/')
          .File(other + "/layer.tar", second)
          .Folder(third + '/')
          .Symlink(third + "/layer.tar", "../" + id + "/layer.tar")
          .File(DigestOf(config).hex + ".json", config)
          .File("manifest.json", R"([{"Config":")" + DigestOf(config).hex +
                                     R"(.json","RepoTags":["web:1","me/web:2"],"Layers":[")" + id +
                                     R"(/layer.tar",")" + other + R"(/layer.tar",")" + third +
                                     R"(/layer.tar"]}])")
          .File("repositories", "{}")
          .Finish();
  for (const std::string& bytes : {archive, Gzip(archive), Zstd(archive)}) {
    const ImageInfo imported = ImportOne(bytes);
    EXPECT_EQ(imported.id, DigestOf(config));
    EXPECT_THAT(imported.names, ElementsAre("docker.io/library/web:1", "docker.io/me/web:2"));
    ASSERT_EQ(imported.layers.size(), 3u);
    EXPECT_EQ(Content(imported, 1, "file"), "second");
    EXPECT_EQ(Content(imported, 2, "file"), "first");
    EXPECT_TRUE(store_->Remove(imported.id.hex).ok());
  }
  EXPECT_THAT(*store_->content().List(), IsEmpty());
}

TEST_F(ImportTest, DockerSaveOfTheNewForm) {
  const ImageBuilder image = TwoLayers();
  TarBuilder tar;
  tar.Folder("blobs/").Folder("blobs/sha256/");
  AddBlobs(image, &tar);
  tar.File("blobs/sha256/" + DigestOf("unneeded").hex, "unneeded");
  tar.File(
      "index.json",
      IndexWith(Entry(image.Manifest(),
                      R"(,"annotations":{"io.containerd.image.name":"docker.io/library/web:1",)"
                      R"("org.opencontainers.image.ref.name":"1"})")));
  tar.File("manifest.json", R"([{"Config":")" + BlobName(image.Config()) +
                                R"(","RepoTags":["web:1","web:stable"],"Layers":[]}])");
  tar.File("oci-layout", kLayout);
  const ImageInfo imported = ImportOne(tar.Finish());
  EXPECT_EQ(imported.id, DigestOf(image.Config()));
  EXPECT_THAT(imported.names,
              ElementsAre("docker.io/library/web:1", "docker.io/library/web:stable"));
  EXPECT_EQ(Content(imported, 1, "file"), "upperamd64");
  // What no image needs does not stay.
  EXPECT_FALSE(store_->content().Contains(DigestOf("unneeded")));
}

TEST_F(ImportTest, LayoutsOfSeveralImagesAndPlatforms) {
  const ImageBuilder amd = TwoLayers();
  const ImageBuilder arm = TwoLayers("arm64");
  auto for_platform = [](const char* architecture) {
    return R"(,"platform":{"os":"linux","architecture":")" + std::string(architecture) + "\"}";
  };
  const std::string inner = IndexWith(Entry(amd.Manifest(), for_platform("amd64")) + ',' +
                                      Entry(arm.Manifest(), for_platform("arm64")));
  std::string outer = DescriptorText(inner, "application/vnd.oci.image.index.v1+json");
  outer.pop_back();
  outer += R"(,"annotations":{"org.opencontainers.image.ref.name":"reg.example/web:2"}})";
  TarBuilder tar;
  tar.File("./oci-layout", kLayout).File("./index.json", IndexWith(outer));
  tar.File("./" + BlobName(inner), inner);
  AddBlobs(amd, &tar);
  AddBlobs(arm, &tar);
  ImportOptions options;
  options.platform = *ParsePlatform("linux/arm64");
  EXPECT_EQ(ImportOne(tar.Finish(), options).id, DigestOf(arm.Config()));
  options.platform = *ParsePlatform("linux/amd64");
  const ImageInfo imported = ImportOne(tar.Finish(), options);
  EXPECT_EQ(imported.id, DigestOf(amd.Config()));
  EXPECT_THAT(imported.names, ElementsAre("reg.example/web:2"));
  EXPECT_THAT(store_->Resolve(DigestOf(arm.Config()).hex)->names, IsEmpty());
  options.platform = *ParsePlatform("linux/s390x");
  EXPECT_THAT(ErrorOf(tar.Finish(), options),
              HasSubstr("the image is for linux/amd64, linux/arm64"));
}

TEST_F(ImportTest, TheNameCanBeGiven) {
  const ImageBuilder image = TwoLayers();
  TarBuilder tar;
  AddBlobs(image, &tar);
  // A tag of nobody knows what is no name.
  tar.File("index.json",
           IndexWith(Entry(image.Manifest(),
                           R"(,"annotations":{"org.opencontainers.image.ref.name":"latest"})")));
  tar.File("oci-layout", kLayout);
  EXPECT_THAT(ImportOne(tar.Finish()).names, IsEmpty());
  ImportOptions options;
  options.names = {"mine:1"};
  EXPECT_THAT(ImportOne(tar.Finish(), options).names, ElementsAre("docker.io/library/mine:1"));
  options.names = {"Not A Name"};
  EXPECT_THAT(ErrorOf(tar.Finish(), options), HasSubstr("invalid reference format"));
}

TEST_F(ImportTest, ALayoutInAFolder) {
  const fs::path folder = folder_.path() / "layout";
  fs::create_directories(folder / "blobs/sha256");
  const ImageBuilder image = TwoLayers();
  auto write_blob = [&](const std::string& bytes) {
    std::ofstream(folder / BlobName(bytes)) << bytes;
  };
  for (const auto& layer : image.layers) write_blob(layer.bytes);
  write_blob(image.Config());
  write_blob(image.Manifest());
  std::ofstream(folder / "oci-layout") << kLayout;
  std::ofstream(folder / "index.json") << IndexWith(Entry(image.Manifest(), ""));
  auto images = ImportLayout(*store_, folder.string(), {});
  ASSERT_TRUE(images.ok()) << images.error().message();
  EXPECT_EQ(images->front().id, DigestOf(image.Config()));
  EXPECT_TRUE(store_->Remove(images->front().id.hex).ok());

  // A blob that is a link to somewhere else is not followed.
  const fs::path blob = folder / BlobName(image.layers[0].bytes);
  fs::rename(blob, folder_.path() / "elsewhere");
  fs::create_symlink(folder_.path() / "elsewhere", blob);
  EXPECT_FALSE(ImportLayout(*store_, folder.string(), {}).ok());
  fs::remove(blob);
  std::ofstream(blob) << "other bytes";
  EXPECT_EQ(ImportLayout(*store_, folder.string(), {}).error().code(), Code::kDataLoss);
  fs::remove(folder / "index.json");
  EXPECT_THAT(ImportLayout(*store_, folder.string(), {}).error().message(),
              HasSubstr("it has no index.json"));
}

TEST_F(ImportTest, ARootFileSystem) {
  const std::string tar =
      TarBuilder().Folder("./").Folder("bin").File("bin/sh", "a shell", 0755).Finish();
  ImportOptions options;
  options.names = {"base"};
  options.platform = *ParsePlatform("linux/arm64");
  options.comment = "made for a test";
  options.config.Entrypoint = {"/bin/sh", "-c"};
  options.config.Env = {"PATH=/bin"};
  options.config.WorkingDir = "/srv";
  options.config.User = "1000:1000";
  options.config.StopSignal = "SIGINT";
  options.config.ExposedPorts["80/tcp"] = {};
  options.config.Volumes["/data"] = {};
  options.config.Labels["a"] = "b";
  const ImageInfo imported = ImportOne(tar, options);
  EXPECT_THAT(imported.names, ElementsAre("docker.io/library/base:latest"));
  EXPECT_EQ(imported.document.architecture, "arm64");
  EXPECT_EQ(imported.document.created, "1970-01-01T00:00:00Z");
  const auto& config = imported.document.config;
  EXPECT_THAT(config.Entrypoint, ElementsAre("/bin/sh", "-c"));
  EXPECT_EQ(config.WorkingDir, "/srv");
  EXPECT_EQ(config.User, "1000:1000");
  EXPECT_EQ(config.StopSignal, "SIGINT");
  EXPECT_TRUE(config.ExposedPorts.contains("80/tcp"));
  EXPECT_TRUE(config.Volumes.contains("/data"));
  EXPECT_EQ(config.Labels.at("a"), "b");
  EXPECT_THAT(imported.document.rootfs.diff_ids, ElementsAre(DigestOf(tar).String()));
  EXPECT_EQ(Content(imported, 0, "bin/sh"), "a shell");
  // The same bytes make the same image; compressed, the same layer.
  EXPECT_EQ(ImportOne(tar, options).id, imported.id);
  EXPECT_EQ(ImportOne(Zstd(tar), options).id, imported.id);
  EXPECT_EQ(ImportOne(Gzip(tar), options).layers, imported.layers);
}

TEST_F(ImportTest, WhatIsNoImageIsRefusedAndLeavesNothing) {
  ImportOptions images;
  images.kind = ImportOptions::Kind::kImages;
  EXPECT_THAT(ErrorOf(""), HasSubstr("the archive is empty"));
  EXPECT_THAT(ErrorOf("no archive at all"), HasSubstr("the tar archive is damaged"));
  EXPECT_THAT(ErrorOf(TarBuilder().File("a", "b").Finish(), images),
              HasSubstr("neither index.json nor manifest.json"));
  EXPECT_THAT(ErrorOf(TarBuilder().File("repositories", "{}").Finish()),
              HasSubstr("older than 1.10"));
  EXPECT_THAT(ErrorOf(TarBuilder().File("manifest.json", "[{}]").Finish()),
              HasSubstr("names no Config"));
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .File("manifest.json", R"([{"Config":"../../etc/passwd","Layers":[]}])")
                          .Finish()),
              HasSubstr("the archive has no ../../etc/passwd"));
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .Symlink("a.json", "b.json")
                          .Symlink("b.json", "a.json")
                          .File("manifest.json", R"([{"Config":"a.json","Layers":[]}])")
                          .Finish(),
                      images),
              HasSubstr("the archive has no"));
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .File("oci-layout", R"({"imageLayoutVersion":"9.0.0"})")
                          .File("index.json", IndexWith(""))
                          .Finish()),
              HasSubstr("version \"9.0.0\""));
  EXPECT_THAT(ErrorOf(TarBuilder().File("index.json", IndexWith("")).Finish()),
              HasSubstr("no image in it is for linux/"));
  EXPECT_THAT(ErrorOf(TarBuilder().File(BlobName("a"), "b").Finish()), HasSubstr("is damaged"));
  const ImageBuilder image = TwoLayers();
  TarBuilder tar;
  tar.File("index.json", IndexWith(Entry(image.Manifest(), "")));
  tar.File(BlobName(image.Manifest()), image.Manifest());
  tar.File(BlobName(image.Config()), image.Config());
  EXPECT_THAT(ErrorOf(tar.Finish()), HasSubstr("is not in the archive"));
  tar.File("manifest.json", std::string(kMaxConfigSize, ' '));
  for (int i = 0; i < 8; ++i) {
    tar.File(std::to_string(i) + ".json", std::string(kMaxConfigSize, ' '));
  }
  EXPECT_THAT(ErrorOf(tar.Finish()), HasSubstr("documents are too large"));
  EXPECT_THAT(store_->List(), IsEmpty());
  EXPECT_THAT(*store_->content().List(), IsEmpty());
}

TEST_F(ImportTest, CanBeCancelled) {
  ImportOptions options;
  options.progress = [](uint64_t done) { return done < 1000; };
  const auto images = Import(LayerTar(std::string(1000000, 'x')), options);
  EXPECT_EQ(images.error().code(), Code::kCancelled);
  EXPECT_THAT(*store_->content().List(), IsEmpty());
}

class ExportTest : public ImportTest {
 protected:
  std::string Export(const std::vector<std::string>& references) {
    const fs::path path = folder_.path() / "out.tar";
    const UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    auto exported = ExportImages(*store_, references, file.get());
    EXPECT_TRUE(exported.ok()) << exported.error().message();
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  ImageInfo AddImage(const ImageBuilder& image, const std::vector<std::string>& names) {
    auto added = store_->AddManifest(image.PutInto(&store_->content()), names);
    EXPECT_TRUE(added.ok()) << added.error().message();
    return added.ok() ? *added : ImageInfo();
  }
};

TEST_F(ExportTest, ComesBackTheSame) {
  const ImageInfo one = AddImage(TwoLayers(), {"one:1", "one:2"});
  const ImageInfo two = AddImage(TwoLayers("arm64"), {"two"});
  const std::string archive = Export({"one:1", two.id.hex});
  EXPECT_EQ(Export({"one:1", two.id.hex}), archive);
  store_ = OpenStore("others");
  ImportOptions options;
  const auto images = Import(archive, options);
  // The other is for another machine.
  ASSERT_TRUE(images.ok()) << images.error().message();
  ASSERT_EQ(images->size(), 1u);
  EXPECT_EQ(images->front().id, one.id);
  EXPECT_EQ(images->front().manifest, one.manifest);
  EXPECT_THAT(images->front().names, ElementsAre("docker.io/library/one:1"));
  EXPECT_EQ(Content(images->front(), 1, "file"), "upperamd64");
}

TEST_F(ExportTest, AnImageThatIsNotWholeIsNotExported) {
  const ImageInfo image = AddImage(TwoLayers(), {"one"});
  const Digest layer = DigestOf(TwoLayers().layers[0].bytes);
  ASSERT_TRUE(store_->content().Remove(layer).ok());
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const std::vector<std::string> names{"one"};
  auto exported = ExportImages(*store_, names, null.get());
  EXPECT_EQ(exported.error().code(), Code::kDataLoss);
  EXPECT_THAT(exported.error().message(), HasSubstr("pull the image again"));
  const std::vector<std::string> none{"none"};
  EXPECT_EQ(ExportImages(*store_, none, null.get()).error().code(), Code::kNotFound);
}

// What others say of our archives.
TEST_F(ExportTest, SkopeoReadsIt) {
  if (access("/usr/bin/skopeo", X_OK) != 0) GTEST_SKIP() << "skopeo is not installed";
  const ImageInfo image = AddImage(TwoLayers(), {"one:1"});
  Export({"one:1"});
  const std::string archive = (folder_.path() / "out.tar").string();
  for (const char* transport : {"oci-archive:", "docker-archive:"}) {
    const std::string command = "/usr/bin/skopeo inspect --tmpdir " + folder_.path().string() +
                                " --config --raw " + transport + archive + " 2>&1";
    FILE* pipe = popen(command.c_str(), "re");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    char buffer[4096];
    while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) {
      output.append(buffer, count);
    }
    EXPECT_EQ(pclose(pipe), 0) << output;
    EXPECT_EQ(DigestOf(output), image.id) << transport << output;
  }
}

}  // namespace
}  // namespace podium::image
