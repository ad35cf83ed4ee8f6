#include "image/tar_writer.h"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "image/tar_format.h"
#include "linux/path.h"

namespace podium::image {
namespace {

constexpr size_t kBufferSize = size_t{256} << 10;
constexpr uint64_t kMaxOctalSize = 077777777777;
constexpr std::array<char, 2 * tar::kBlock> kZeros{};

void Put(std::string* block, size_t offset, std::string_view text) {
  block->replace(offset, text.size(), text);
}

// With the NUL behind it that every reader knows.
void PutOctal(std::string* block, tar::Range range, uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llo", static_cast<int>(range.size - 1),
                static_cast<unsigned long long>(number));
  Put(block, range.offset, text);
}

// Base 256, for sizes from 8 GiB.
void PutSize(std::string* block, uint64_t size) {
  if (size <= kMaxOctalSize) return PutOctal(block, tar::kSize, size);
  for (size_t i = 0; i < sizeof size; ++i) {
    (*block)[tar::kSize.offset + tar::kSize.size - 1 - i] = static_cast<char>(size >> (8 * i));
  }
  (*block)[tar::kSize.offset] = static_cast<char>(0x80);
}

}  // namespace

Result<void> TarWriter::Header(std::string_view name, char type, uint32_t mode, uint64_t size) {
  if (name.size() > tar::kName.size) {
    return Error(Code::kInvalidArgument, "the name " + std::string(name) + " is too long for tar");
  }
  std::string block(tar::kBlock, '\0');
  Put(&block, tar::kName.offset, name);
  PutOctal(&block, tar::kMode, mode);
  PutOctal(&block, tar::kUid, 0);
  PutOctal(&block, tar::kGid, 0);
  PutSize(&block, size);
  PutOctal(&block, tar::kMtime, 0);
  block[tar::kTypeFlag] = type;
  Put(&block, tar::kMagic.offset, tar::kPosixMagic);
  Put(&block, tar::kVersion.offset, "00");
  Put(&block, tar::kChecksum.offset, std::string(tar::kChecksum.size, ' '));
  uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  PutOctal(&block, {tar::kChecksum.offset, tar::kChecksum.size - 1}, sum);
  block[tar::kChecksum.offset + tar::kChecksum.size - 2] = '\0';
  return kernel::WriteAll(fd_, block);
}

Result<void> TarWriter::Folder(std::string_view name) { return Header(name, '5', 0755, 0); }

Result<void> TarWriter::File(std::string_view name, std::string_view bytes) {
  MemorySource source(bytes);
  return File(name, bytes.size(), source);
}

Result<void> TarWriter::File(std::string_view name, uint64_t size, ByteSource& source) {
  TRY_VOID(Header(name, '0', 0644, size));
  std::vector<char> buffer(kBufferSize);
  uint64_t done = 0;
  while (true) {
    TRY(const size_t count, source.Read(buffer));
    if (count == 0) break;
    if (count > size - done) break;
    TRY_VOID(kernel::WriteAll(fd_, {buffer.data(), count}));
    done += count;
  }
  if (done != size) {
    return Error(Code::kDataLoss, std::string(name) + " has not the " + std::to_string(size) +
                                      " bytes that it should have");
  }
  return kernel::WriteAll(fd_, {kZeros.data(), static_cast<size_t>(tar::Padding(size))});
}

Result<void> TarWriter::Finish() { return kernel::WriteAll(fd_, {kZeros.data(), kZeros.size()}); }

}  // namespace podium::image
