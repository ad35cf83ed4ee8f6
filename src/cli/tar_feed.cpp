#include "cli/tar_feed.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kMaxName = 100;
constexpr size_t kMaxPrefix = 155;
constexpr char kLongName = 'L';
constexpr char kLongLink = 'K';
constexpr std::string_view kLongMemberName = "././@LongLink";

size_t PaddingOf(uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

// Octal digits and a NUL, or the number itself to the base of 256, with the first bit set.
void PutNumber(std::string* header, size_t at, size_t width, uint64_t number) {
  const size_t digits = width - 1;
  if (number < uint64_t{1} << (3 * digits)) {
    for (size_t i = 0; i < digits; ++i, number /= 8) {
      (*header)[at + digits - 1 - i] = static_cast<char>('0' + number % 8);
    }
    return;
  }
  for (size_t i = 0; i < digits; ++i, number >>= 8) {
    (*header)[at + digits - i] = static_cast<char>(number & 0xFF);
  }
  (*header)[at] = '\x80';
}

// Where a name is cut in two, at a slash, so that both parts have room.
std::optional<size_t> CutOf(std::string_view name) {
  const size_t first = name.size() - std::min(name.size(), kMaxName + 1);
  const size_t slash = name.find('/', first);
  if (slash == name.npos || slash == 0 || slash > kMaxPrefix) return {};
  return slash + 1 == name.size() ? std::nullopt : std::optional(slash);
}

std::string Header(const TarMember& member, char type) {
  std::string header(kBlock, '\0');
  std::string_view name = member.name;
  const auto cut = name.size() > kMaxName ? CutOf(name) : std::nullopt;
  if (cut) {
    header.replace(345, *cut, name.substr(0, *cut));
    name.remove_prefix(*cut + 1);
  }
  name = name.substr(0, kMaxName);
  header.replace(0, name.size(), name);
  PutNumber(&header, 100, 8, member.mode & 07777);
  PutNumber(&header, 108, 8, member.uid);
  PutNumber(&header, 116, 8, member.gid);
  PutNumber(&header, 124, 12, member.size);
  PutNumber(&header, 136, 12, static_cast<uint64_t>(std::max<int64_t>(member.mtime, 0)));
  header[156] = type;
  const std::string_view link = std::string_view(member.link).substr(0, kMaxName);
  header.replace(157, link.size(), link);
  header.replace(257, 8, "ustar\00000", 8);
  header.replace(148, 8, 8, ' ');
  uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  PutNumber(&header, 148, 7, sum);
  header[154] = '\0';
  return header;
}

// A member before the one that it names.
std::string Long(char type, const std::string& text) {
  std::string out = Header({.name = std::string(kLongMemberName), .size = text.size() + 1}, type);
  out += text;
  out.append(1 + PaddingOf(text.size() + 1), '\0');
  return out;
}

}  // namespace

void TarFeed::Put(const TarMember& member) {
  if (member.name.size() > kMaxName && !CutOf(member.name)) text_ += Long(kLongName, member.name);
  if (member.link.size() > kMaxName) text_ += Long(kLongLink, member.link);
  text_ += Header(member, static_cast<char>(member.type));
}

void TarFeed::Put(const TarMember& member, UniqueFd file) {
  Put(member);
  name_ = member.name;
  file_ = std::move(file);
  left_ = member.size;
  padding_ = PaddingOf(member.size);
}

void TarFeed::End() { text_.append(2 * kBlock, '\0'); }

Result<size_t> TarFeed::Read(std::span<char> buffer) {
  if (!text_.empty()) {
    const size_t size = std::min(buffer.size(), text_.size());
    text_.copy(buffer.data(), size);
    text_.erase(0, size);
    return size;
  }
  if (left_ == 0) return 0;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left_, buffer.size()));
  while (true) {
    const ssize_t size = read(file_.get(), buffer.data(), wanted);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, Printable(name_));
    if (size == 0) return Error(Code::kDataLoss, Printable(name_) + " was cut while it was read");
    left_ -= static_cast<uint64_t>(size);
    if (left_ == 0) {
      text_.append(padding_, '\0');
      file_.reset();
    }
    return static_cast<size_t>(size);
  }
}

}  // namespace podium::cli
