#include "image/tar_builder.h"

#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <cstring>

#include "image/tar_format.h"

namespace podium::image {
namespace {

std::string Filled(std::string_view bytes) {
  return std::string(bytes) + std::string(tar::Padding(bytes.size()), '\0');
}

// "<length> key=value\n", where the length counts its own digits.
std::string PaxRecord(const std::string& key, const std::string& value) {
  const std::string rest = ' ' + key + '=' + value + '\n';
  size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

void Put(std::string* block, tar::Range range, std::string_view text) {
  block->replace(range.offset, std::min(text.size(), range.size), text.substr(0, range.size));
}

void PutOctal(std::string* block, tar::Range range, uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", static_cast<int>(range.size - 1),
                static_cast<unsigned long long>(number));
  Put(block, {range.offset, range.size - 1}, text);
}

}  // namespace

void FixTarChecksum(std::string* archive, size_t at) {
  archive->replace(at + tar::kChecksum.offset, tar::kChecksum.size, tar::kChecksum.size, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < tar::kBlock; ++i) sum += static_cast<unsigned char>((*archive)[at + i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  archive->replace(at + tar::kChecksum.offset, 7, text, 7);
}

std::string TarHeader(const TarBuilder::Entry& entry, uint64_t size) {
  constexpr uint64_t kMaxOctal = 07777777;
  std::string block(tar::kBlock, '\0');
  Put(&block, tar::kName, entry.path);
  PutOctal(&block, tar::kMode, entry.mode);
  PutOctal(&block, tar::kUid, entry.uid > kMaxOctal ? 0 : entry.uid);
  PutOctal(&block, tar::kGid, entry.gid > kMaxOctal ? 0 : entry.gid);
  PutOctal(&block, tar::kSize, size);
  PutOctal(&block, tar::kMtime, std::strtoull(entry.mtime.c_str(), nullptr, 10));
  block[tar::kTypeFlag] = entry.type;
  Put(&block, tar::kLink, entry.link);
  Put(&block, tar::kMagic, tar::kPosixMagic);
  Put(&block, tar::kVersion, "00");
  PutOctal(&block, tar::kMajor, entry.major);
  PutOctal(&block, tar::kMinor, entry.minor);
  FixTarChecksum(&block, 0);
  return block;
}

TarBuilder& TarBuilder::Add(const Entry& entry) {
  auto pax = entry.pax;
  if (entry.path.size() > tar::kName.size) pax.emplace_back("path", entry.path);
  if (entry.link.size() > tar::kLink.size) pax.emplace_back("linkpath", entry.link);
  if (entry.uid > 07777777) pax.emplace_back("uid", std::to_string(entry.uid));
  if (entry.gid > 07777777) pax.emplace_back("gid", std::to_string(entry.gid));
  if (entry.mtime.find_first_not_of("0123456789") != std::string::npos) {
    pax.emplace_back("mtime", entry.mtime);
  }
  if (!pax.empty()) {
    std::string records;
    for (const auto& [key, value] : pax) records += PaxRecord(key, value);
    bytes_ += TarHeader({.path = "PaxHeaders/x", .type = 'x'}, records.size()) + Filled(records);
  }
  bytes_ += TarHeader(entry, entry.data.size()) + Filled(entry.data);
  return *this;
}

TarBuilder& TarBuilder::File(const std::string& path, const std::string& data, uint32_t mode) {
  return Add({.path = path, .data = data, .mode = mode});
}
TarBuilder& TarBuilder::Folder(const std::string& path, uint32_t mode) {
  return Add({.path = path, .type = '5', .mode = mode});
}
TarBuilder& TarBuilder::Symlink(const std::string& path, const std::string& link) {
  return Add({.path = path, .type = '2', .link = link, .mode = 0777});
}
TarBuilder& TarBuilder::HardLink(const std::string& path, const std::string& link) {
  return Add({.path = path, .type = '1', .link = link});
}
TarBuilder& TarBuilder::Raw(std::string_view bytes) {
  bytes_ += Filled(bytes);
  return *this;
}

std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

}  // namespace podium::image
