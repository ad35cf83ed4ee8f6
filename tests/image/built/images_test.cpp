// The images of images/, pushed to a real registry by skopeo and pulled back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "image/puller.h"
#include "image/registry_fixture.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BuiltImagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to unpack files of other users";
    if (!HaveDockerRegistry()) GTEST_SKIP() << "needs docker-registry";
    fs::create_directory(folder_.path() + "/storage");
    registry_ = std::make_unique<DockerRegistry>(
        DockerRegistryOptions{.storage = folder_.path() + "/storage"});
    store_ = *ImageStore::Open(folder_.path() + "/images");
    puller_ = std::make_unique<Puller>(*store_, RegistryOptions(), nullptr);
  }

  // Where scripts/build-images leaves it.
  static std::string Archive(const std::string& name) {
    const char* cache = std::getenv("PODIUM_IMAGE_CACHE");  // NOLINT(concurrency-mt-unsafe)
    return (cache ? std::string(cache) : PODIUM_SOURCE_DIR "/build/images") + "/" + name + ".tar";
  }
  // `transport`: skopeo's name for the form it is to read the archive as.
  ImageInfo PushAndPull(const std::string& transport, const std::string& name) {
    const std::string place = registry_->host() + "/" + name + ":latest";
    EXPECT_TRUE(
        RunProgram({"skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false",
                    transport + ":" + Archive(name), "docker://" + place}))
        << Archive(name);
    auto pulled = puller_->Pull({.image = place});
    EXPECT_TRUE(pulled.ok()) << pulled.error().message();
    return pulled.ok() ? *std::move(pulled) : ImageInfo();
  }
  // A path in the image's layers, the uppermost that has it.
  static fs::path Find(const ImageInfo& image, const std::string& path) {
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer) {
      if (fs::exists(fs::symlink_status(*layer + path))) return *layer + path;
    }
    ADD_FAILURE() << path << " is not in the image";
    return {};
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  http::TestFolder folder_;
  std::unique_ptr<DockerRegistry> registry_;
  std::unique_ptr<ImageStore> store_;
  std::unique_ptr<Puller> puller_;
};

TEST_F(BuiltImagesTest, Busybox) {
  const ImageInfo image = PushAndPull("oci-archive", "busybox");
  ASSERT_EQ(image.layers.size(), 1);
  EXPECT_THAT(image.document.config.Cmd, ElementsAre("sh"));
  // The applets are one file.
  struct stat shell{};
  struct stat program{};
  ASSERT_EQ(stat(Find(image, "/bin/sh").c_str(), &shell), 0);
  ASSERT_EQ(stat(Find(image, "/bin/busybox").c_str(), &program), 0);
  EXPECT_EQ(shell.st_ino, program.st_ino);
  EXPECT_GT(program.st_nlink, 200);
  EXPECT_EQ(fs::status(Find(image, "/tmp")).permissions(), fs::perms(01777));
  EXPECT_LT(image.unpacked_size, 4 << 20);
  EXPECT_TRUE(RunProgram({"chroot", image.layers[0], "/bin/sh", "-c", "test -d /etc && true"}));
}

TEST_F(BuiltImagesTest, NginxStandsOnDebian) {
  const ImageInfo nginx = PushAndPull("oci-archive", "nginx");
  ASSERT_EQ(nginx.layers.size(), 2);
  EXPECT_EQ(nginx.document.config.StopSignal, "SIGQUIT");
  EXPECT_TRUE(nginx.document.config.ExposedPorts.contains("80/tcp"));
  EXPECT_THAT(Read(Find(nginx, "/usr/share/nginx/html/index.html")), HasSubstr("Welcome to nginx"));
  EXPECT_EQ(fs::read_symlink(Find(nginx, "/var/log/nginx/access.log")), "/dev/stdout");
  EXPECT_THAT(Read(Find(nginx, "/etc/passwd")), HasSubstr("nginx:x:101:101:"));

  // What `docker save` writes is in the same file; the lower layer is shared.
  const ImageInfo debian = PushAndPull("docker-archive", "debian");
  ASSERT_EQ(debian.layers.size(), 1);
  EXPECT_EQ(debian.layers[0], nginx.layers[0]);
  EXPECT_THAT(Read(Find(debian, "/etc/os-release")), HasSubstr("ID=debian"));
  for (const char* gone : {"/etc/hostname", "/etc/resolv.conf", "/dev/null", "/var/log/dpkg.log"}) {
    EXPECT_FALSE(fs::exists(fs::symlink_status(debian.layers[0] + gone))) << gone;
  }
  for (const auto& entry : fs::directory_iterator(debian.layers[0] + "/var/lib/apt/lists")) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
  }
  EXPECT_TRUE(store_->Verify()->empty());
}

}  // namespace
}  // namespace podium::image
