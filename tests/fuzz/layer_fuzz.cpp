// Any bytes as a layer: unpacking ends, nothing outside of the folder changes, and what was
// unpacked can be removed again. Half of the inputs get the right checksums, which no fuzzer
// guesses.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/unique_fd.h"
#include "fuzz/require.h"
#include "image/byte_source.h"
#include "image/tar_format.h"
#include "image/unpack.h"
#include "linux/path.h"

using namespace podium;         // NOLINT: a fuzz target
using namespace podium::image;  // NOLINT: a fuzz target
using podium::fuzz::Require;

namespace {

// SCRATCH/layer is unpacked into; SCRATCH/outside must stay as it is.
struct Scratch {
  Scratch() {
    std::string name =
        access("/dev/shm", W_OK) == 0 ? "/dev/shm/layer_fuzz_XXXXXX" : "/tmp/layer_fuzz_XXXXXX";
    Require(mkdtemp(name.data()) != nullptr);
    path = name;
    Require(mkdir((path + "/outside").c_str(), 0700) == 0);
    Require(mkdir((path + "/layer").c_str(), 0700) == 0);
    folder = UniqueFd(open((path + "/layer").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Require(folder.get() >= 0 && stat((path + "/outside").c_str(), &outside) == 0);
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void Check() const {
    struct stat now{};
    Require(stat((path + "/outside").c_str(), &now) == 0);
    Require(now.st_mtim.tv_sec == outside.st_mtim.tv_sec &&
            now.st_mtim.tv_nsec == outside.st_mtim.tv_nsec && now.st_mode == outside.st_mode &&
            now.st_uid == outside.st_uid && now.st_nlink == 2);
    size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++entries;
    Require(entries == 2);
  }

  std::string path;
  UniqueFd folder;
  struct stat outside{};
};

// Of each header that the sizes lead to.
void FixChecksums(std::string* archive) {
  constexpr tar::Range kSum = tar::kChecksum;
  for (size_t at = 0; at + tar::kBlock <= archive->size();) {
    archive->replace(at + kSum.offset, kSum.size, kSum.size, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < tar::kBlock; ++i) sum += static_cast<unsigned char>((*archive)[at + i]);
    for (size_t i = 0; i < 6; ++i) {
      (*archive)[at + kSum.offset + 5 - i] = static_cast<char>('0' + (sum >> (3 * i)) % 8);
    }
    (*archive)[at + kSum.offset + 6] = '\0';
    const std::string size = archive->substr(at + tar::kSize.offset, tar::kSize.size - 1);
    const uint64_t data = std::strtoull(size.c_str(), nullptr, 8);
    at += tar::kBlock + (data + tar::Padding(data)) % archive->size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const Scratch kScratch;
  std::string archive(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool privileged = geteuid() == 0 && (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) FixChecksums(&archive);
  MemorySource source(archive);
  const auto plain = MakeDecompressor(source);
  // A megabyte of zeros is a few bytes of zstd.
  LimitedSource limited(*plain, uint64_t{4} << 20,
                        [] { return Error(Code::kResourceExhausted, "too large"); });
  const auto stats =
      UnpackTar(limited, kScratch.folder.get(), {.privileged = privileged, .max_entries = 10'000});
  Require(stats.ok() || !stats.error().message().empty());
  kScratch.Check();
  Require(kernel::RemoveContents(kScratch.folder.get()).ok());
  Require(std::filesystem::is_empty(kScratch.path + "/layer"));
  return 0;
}
