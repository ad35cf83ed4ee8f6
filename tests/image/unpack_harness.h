// Unpacks archives into a folder beside which something stands that must not be touched.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

#include "image/layer_tree.h"
#include "image/temporary_folder.h"
#include "image/unpack.h"

namespace podium::image {

class UnpackTest : public ::testing::Test {
 protected:
  UnpackTest() {
    std::filesystem::create_directories(outside());
    std::ofstream(outside() / "secret") << "untouched";
    before_ = StatusOf(outside());
  }

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "owners, devices and trusted xattrs need root";
  }

  // Whatever happened: nothing but the layer's folder has changed.
  void TearDown() override {
    EXPECT_EQ(Names(folder_.path()), (std::set<std::string>{"layer", "outside"}));
    EXPECT_EQ(Names(outside()), std::set<std::string>{"secret"});
    EXPECT_EQ(Text(outside() / "secret"), "untouched");
    const struct stat after = StatusOf(outside());
    EXPECT_EQ(after.st_mode, before_.st_mode);
    EXPECT_EQ(after.st_uid, before_.st_uid);
    EXPECT_EQ(after.st_mtim.tv_sec, before_.st_mtim.tv_sec);
    EXPECT_EQ(StatusOf(outside() / "secret").st_nlink, 1u);
  }

  Result<UnpackStats> Unpack(const std::string& archive, const UnpackOptions& options = {}) {
    std::filesystem::remove_all(layer());
    std::filesystem::create_directory(layer());
    const UniqueFd folder(open(layer().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    MemorySource source(archive);
    return UnpackTar(source, folder.get(), options);
  }
  // The error's text; "" when it was unpacked.
  std::string ErrorOf(const std::string& archive) {
    const auto stats = Unpack(archive);
    return stats.ok() ? "" : stats.error().message();
  }

  std::filesystem::path layer() const { return folder_.path() / "layer"; }
  std::filesystem::path outside() const { return folder_.path() / "outside"; }
  static struct stat StatusOf(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  struct stat Status(const std::string& name) const { return StatusOf(layer() / name); }
  bool Exists(const std::string& name) const {
    struct stat status{};
    return lstat((layer() / name).c_str(), &status) == 0;
  }
  bool Whiteout(const std::string& name) const { return IsWhiteout(Status(name)); }
  static std::string Text(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string text(static_cast<size_t>(std::filesystem::file_size(path)), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
  }
  std::string Content(const std::string& name) const { return Text(layer() / name); }
  // Of the link itself; "(none)" when it has none of that name.
  std::string Xattr(const std::string& name, const char* key) const {
    char value[4096];
    const ssize_t size = lgetxattr((layer() / name).c_str(), key, value, sizeof value);
    return size < 0 ? "(none)" : std::string(value, static_cast<size_t>(size));
  }
  static std::set<std::string> Names(const std::filesystem::path& path) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
  struct stat before_{};
};

}  // namespace podium::image
