#include "node/volumes/host_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;

class HostPath : public ::testing::Test {
 protected:
  HostPath() {
    fs::create_directory(Path("folder"));
    WriteText(Path("file"), "x");
    fs::create_symlink("folder", Path("link"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, Path("socket").c_str(), sizeof(address.sun_path) - 1);
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }

  std::string Path(const std::string& name) { return scratch_.path() + "/" + name; }
  // "ok", or what is wrong, less the path.
  std::string Open(const std::string& path, const char* type) {
    v1::HostPathVolumeSource source;
    source.path = path;
    if (type) source.type = type;
    auto opened = OpenHostPath(source);
    if (opened.ok()) return "ok";
    std::string message = opened.error().message();
    if (const size_t at = message.find(path); at != std::string::npos) {
      message.replace(at, path.size(), "PATH");
    }
    return message;
  }

  ScratchFolder scratch_;
};

TEST_F(HostPath, EveryTypeIsChecked) {
  struct Case {
    const char* name;
    const char* type;
    const char* outcome;
  };
  const Case cases[] = {
      {"folder", nullptr, "ok"},
      {"file", "", "ok"},
      {"folder", "Directory", "ok"},
      {"link", "Directory", "ok"},
      {"file", "Directory", "hostPath type check failed: PATH is not a directory"},
      {"none", "Directory", "hostPath type check failed: PATH is not a directory"},
      {"folder", "DirectoryOrCreate", "ok"},
      {"file", "DirectoryOrCreate", "hostPath type check failed: PATH is not a directory"},
      {"file", "File", "ok"},
      {"folder", "File", "hostPath type check failed: PATH is not a file"},
      {"none", "File", "hostPath type check failed: PATH is not a file"},
      {"file", "FileOrCreate", "ok"},
      {"folder", "FileOrCreate", "hostPath type check failed: PATH is not a file"},
      {"socket", "Socket", "ok"},
      {"file", "Socket", "hostPath type check failed: PATH is not a socket file"},
      {"file", "CharDevice", "hostPath type check failed: PATH is not a character device"},
      {"file", "BlockDevice", "hostPath type check failed: PATH is not a block device"},
      {"none", "BlockDevice", "hostPath type check failed: PATH is not a block device"},
      {"file", "Door", "Door is an invalid volume type"},
      {"folder/../file", "File", "invalid HostPath `PATH`: must not contain '..'"},
      {"folder/..", nullptr, "invalid HostPath `PATH`: must not contain '..'"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Open(Path(c.name), c.type), c.outcome) << c.name << ' ' << (c.type ? c.type : "null");
  }
  EXPECT_EQ(Open("/dev/null", "CharDevice"), "ok");
  EXPECT_EQ(Open("/", "Directory"), "ok");
}

TEST_F(HostPath, MakesWhatIsMissing) {
  EXPECT_EQ(Open(Path("a/b"), "DirectoryOrCreate"), "ok");
  EXPECT_TRUE(fs::is_directory(Path("a/b")));
  EXPECT_EQ(Open(Path("a/file"), "FileOrCreate"), "ok");
  EXPECT_TRUE(fs::is_regular_file(Path("a/file")));
  EXPECT_EQ(Open(Path("c/d"), nullptr), "ok");
  EXPECT_TRUE(fs::is_directory(Path("c/d")));
  // A file's folder is not made.
  EXPECT_NE(Open(Path("e/file"), "FileOrCreate"), "ok");
}

}  // namespace
}  // namespace podium::node
