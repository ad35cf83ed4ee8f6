// Tar archives for tests, hostile ones too: what is given is written, whatever it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::image {

class TarBuilder {
 public:
  struct Entry {
    std::string path;
    char type = '0';
    std::string data = {};
    std::string link = {};
    uint32_t mode = 0644;
    uint64_t uid = 0;
    uint64_t gid = 0;
    std::string mtime = "1700000000";
    uint32_t major = 0;
    uint32_t minor = 0;
    // Records of an extended header before it, besides those that long names and large numbers
    // need.
    std::vector<std::pair<std::string, std::string>> pax = {};
  };

  TarBuilder& Add(const Entry& entry);
  TarBuilder& File(const std::string& path, const std::string& data, uint32_t mode = 0644);
  TarBuilder& Folder(const std::string& path, uint32_t mode = 0755);
  TarBuilder& Symlink(const std::string& path, const std::string& link);
  TarBuilder& HardLink(const std::string& path, const std::string& link);
  // A header whose numbers are given as they stand, and the bytes behind it, filled up to blocks.
  TarBuilder& Raw(std::string_view bytes);

  // With the two blocks of zeros at the end.
  std::string Finish() const { return bytes_ + std::string(1024, '\0'); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A header block; `size` as it is to be written there.
std::string TarHeader(const TarBuilder::Entry& entry, uint64_t size);
// Computes the checksum again, of the block that begins there.
void FixTarChecksum(std::string* archive, size_t at);

std::string Gzip(std::string_view bytes);
std::string Zstd(std::string_view bytes);

}  // namespace podium::image
