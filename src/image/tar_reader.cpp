#include "image/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "image/tar_fields.h"
#include "image/tar_format.h"

namespace podium::image {
namespace {

constexpr size_t kBufferSize = size_t{256} << 10;
constexpr std::string_view kXattrKey = "SCHILY.xattr.";
constexpr size_t kOldSparseInHeader = 4;
constexpr size_t kOldSparseInBlock = 21;
constexpr size_t kOldSparseEntry = 24;
constexpr size_t kOldSparseHeaderOffset = 386;
constexpr size_t kOldSparseMoreInHeader = 482;
constexpr size_t kOldSparseRealSize = 483;
constexpr size_t kOldSparseMoreInBlock = 504;

Error Damaged(std::string message) {
  return {Code::kInvalidArgument, "the tar archive is damaged: " + std::move(message)};
}

bool IsZero(std::string_view block) {
  return block.find_first_not_of('\0') == std::string_view::npos;
}

// Up to the first NUL.
std::string_view TextField(std::string_view block, size_t offset, size_t size) {
  const std::string_view field = block.substr(offset, size);
  return field.substr(0, field.find('\0'));
}

std::optional<TarEntry::Type> TypeOf(char flag, std::string_view path) {
  switch (flag) {
    case '\0':
      return path.ends_with('/') ? TarEntry::Type::kDirectory : TarEntry::Type::kFile;
    case '0':
    case '7':
    case 'S':
      return TarEntry::Type::kFile;
    case '1':
      return TarEntry::Type::kHardLink;
    case '2':
      return TarEntry::Type::kSymlink;
    case '3':
      return TarEntry::Type::kCharacterDevice;
    case '4':
      return TarEntry::Type::kBlockDevice;
    case '5':
      return TarEntry::Type::kDirectory;
    case '6':
      return TarEntry::Type::kFifo;
    default:
      return std::nullopt;
  }
}

std::string FlagText(char flag) {
  if (flag >= ' ' && flag < 0x7F) return std::string("'") + flag + '\'';
  return std::to_string(static_cast<unsigned char>(flag));
}

// The parts of a header that depend on the variant of the format.
std::string PathOf(std::string_view block) {
  const std::string_view name = TextField(block, tar::kName.offset, tar::kName.size);
  if (block.substr(tar::kMagic.offset, tar::kMagic.size) != tar::kPosixMagic) {
    return std::string(name);
  }
  const bool star = block.substr(tar::kStarTrailer.offset) == tar::kStarMagic;
  const std::string_view prefix =
      TextField(block, tar::kPrefix.offset, star ? tar::kStarPrefixSize : tar::kPrefix.size);
  return prefix.empty() ? std::string(name) : std::string(prefix) + '/' + std::string(name);
}

}  // namespace

struct TarReader::Extended {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<uint64_t> size;
  std::optional<uint64_t> uid;
  std::optional<uint64_t> gid;
  std::optional<timespec> mtime;
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::string sparse_major;
  std::string sparse_minor;
  std::optional<std::string> sparse_name;
  std::optional<uint64_t> sparse_size;
  std::vector<uint64_t> sparse_numbers;  // offset, size, offset, size …
  bool has_sparse_map = false;
  // GNU's long names; these win.
  std::optional<std::string> long_path;
  std::optional<std::string> long_link;

  Result<void> Add(std::string_view key, std::string_view value);
  Result<void> AddSparse(std::string_view key, std::string_view value);
  Result<void> AddNumber(std::string_view key, std::string_view value);
};

Result<void> TarReader::Extended::AddNumber(std::string_view key, std::string_view value) {
  const auto number = tar::Decimal(value);
  if (!number) return Damaged("pax record " + std::string(key) + " is no number");
  if (key == "size") {
    size = number;
  } else if (key == "uid") {
    uid = number;
  } else {
    gid = number;
  }
  return {};
}

Result<void> TarReader::Extended::AddSparse(std::string_view key, std::string_view value) {
  if (key == "GNU.sparse.major") {
    sparse_major = value;
  } else if (key == "GNU.sparse.minor") {
    sparse_minor = value;
  } else if (key == "GNU.sparse.name") {
    sparse_name = value;
  } else if (key == "GNU.sparse.map") {
    has_sparse_map = true;
    sparse_numbers.clear();
    while (!value.empty()) {
      const size_t comma = value.find(',');
      const auto number = tar::Decimal(value.substr(0, comma));
      if (!number) return Damaged("the map of a sparse file has no numbers");
      sparse_numbers.push_back(*number);
      value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
    }
  } else {
    const auto number = tar::Decimal(value);
    if (!number) return Damaged("pax record " + std::string(key) + " is no number");
    const bool is_offset = key == "GNU.sparse.offset";
    if (key == "GNU.sparse.size" || key == "GNU.sparse.realsize") {
      sparse_size = number;
    } else if (is_offset || key == "GNU.sparse.numbytes") {
      if ((sparse_numbers.size() % 2 == 0) != is_offset) {
        return Damaged("the map of a sparse file is out of order");
      }
      has_sparse_map = true;
      sparse_numbers.push_back(*number);
    }
  }
  if (sparse_numbers.size() > 2 * kMaxSparsePieces) {
    return Error(Code::kResourceExhausted, "a sparse file has too many parts");
  }
  return {};
}

Result<void> TarReader::Extended::Add(std::string_view key, std::string_view value) {
  if (key.contains('\0')) return Damaged("a pax record's key has a NUL byte");
  if (key == "path" || key == "linkpath") {
    if (value.contains('\0')) return Damaged("a name has a NUL byte");
    // Empty: as the header says.
    auto& name = key == "path" ? path : link;
    name = value.empty() ? std::optional<std::string>() : std::string(value);
  } else if (key == "size" || key == "uid" || key == "gid") {
    if (!value.empty()) return AddNumber(key, value);
  } else if (key == "mtime") {
    if (value.empty()) return {};
    mtime = tar::PaxTime(value);
    if (!mtime) return Damaged("pax record mtime is no time");
  } else if (key.starts_with(kXattrKey)) {
    xattrs.emplace_back(key.substr(kXattrKey.size()), value);
  } else if (key.starts_with("GNU.sparse.")) {
    return AddSparse(key, value);
  }
  return {};
}

TarReader::TarReader(ByteSource& source) : source_(source), buffer_(kBufferSize) {}

// What is there, at least `count` bytes unless the source ends before.
Result<std::string_view> TarReader::Fill(size_t count) {
  if (end_ - at_ < count) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  while (end_ - at_ < count && !source_ended_) {
    TRY(const size_t read, source_.Read(std::span(buffer_).subspan(end_)));
    source_ended_ = read == 0;
    end_ += read;
  }
  return std::string_view(buffer_.data() + at_, end_ - at_);
}

Result<void> TarReader::Skip(uint64_t count) {
  while (count > 0) {
    TRY(const std::string_view bytes, Fill(1));
    if (bytes.empty()) return Damaged("it ends inside of an entry");
    const size_t step = std::min<uint64_t>(count, bytes.size());
    at_ += step;
    count -= step;
  }
  return {};
}

// False when there is nothing more.
Result<bool> TarReader::ReadBlock(std::string* block) {
  TRY(const std::string_view bytes, Fill(tar::kBlock));
  if (bytes.empty()) return false;
  if (bytes.size() < tar::kBlock) return Damaged("it ends inside of a header");
  block->assign(bytes.substr(0, tar::kBlock));
  at_ += tar::kBlock;
  return true;
}

Result<std::string> TarReader::ReadSmall(uint64_t size, const char* what) {
  if (size > kMaxTarHeader) {
    return Error(Code::kResourceExhausted, std::string(what) + " has " + std::to_string(size) +
                                               " bytes, more than " +
                                               std::to_string(kMaxTarHeader));
  }
  std::string text;
  while (text.size() < size) {
    TRY(const std::string_view bytes, Fill(1));
    if (bytes.empty()) return Damaged("it ends inside of a header");
    const size_t step = std::min<size_t>(size - text.size(), bytes.size());
    text.append(bytes.substr(0, step));
    at_ += step;
  }
  TRY_VOID(Skip(tar::Padding(size)));
  return text;
}

Result<void> TarReader::ReadPax(std::string_view records, Extended* extended) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    if (space == std::string_view::npos) return Damaged("a pax record has no length");
    const auto length = tar::Decimal(records.substr(0, space));
    if (!length || *length > records.size() || *length < space + 3 ||
        records[*length - 1] != '\n') {
      return Damaged("a pax record has a wrong length");
    }
    const std::string_view record = records.substr(space + 1, *length - space - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return Damaged("a pax record has no key");
    TRY_VOID(extended->Add(record.substr(0, equals), record.substr(equals + 1)));
    records.remove_prefix(*length);
  }
  return {};
}

Result<bool> TarReader::Next(TarEntry* entry) {
  if (ended_) return false;
  TRY_VOID(Skip(data_left_));
  TRY_VOID(Skip(padding_));
  data_left_ = padding_ = 0;
  *entry = {};
  Extended extended;
  return ReadHeader(entry, &extended);
}

Result<bool> TarReader::ReadHeader(TarEntry* entry, Extended* extended) {
  std::string block;
  // As many extended headers as there are, each of a bounded size, of which the last counts.
  for (bool alone = true;; alone = false) {
    TRY(const bool more, ReadBlock(&block));
    if (!more || IsZero(block)) {
      if (!alone) return Damaged("it ends behind an extended header");
      if (more) {
        TRY(const bool second, ReadBlock(&block));
        if (second && !IsZero(block)) return Damaged("a block of zeros stands inside of it");
      }
      ended_ = true;
      return false;
    }
    if (!tar::ChecksumFits(block)) return Damaged("a header's checksum is wrong");
    const auto size = tar::Number(block, tar::kSize);
    if (!size || *size < 0) return Damaged("a header's size is wrong");
    const auto length = static_cast<uint64_t>(*size);
    const char flag = block[tar::kTypeFlag];
    if (flag == 'x') {
      TRY(const std::string records, ReadSmall(length, "a pax header"));
      TRY_VOID(ReadPax(records, extended));
    } else if (flag == 'g') {
      TRY_VOID(ReadSmall(length, "a pax header"));
    } else if (flag == 'L' || flag == 'K') {
      TRY(std::string name, ReadSmall(length, "a long name"));
      name.resize(std::min(name.find('\0'), name.size()));
      (flag == 'L' ? extended->long_path : extended->long_link) = std::move(name);
    } else {
      TRY_VOID(Complete(block, extended, entry));
      return true;
    }
  }
}

Result<void> TarReader::Complete(const std::string& block, Extended* extended, TarEntry* entry) {
  auto number = [&](tar::Range range) { return tar::Number(block, range); };
  entry->path = extended->path ? *std::move(extended->path) : PathOf(block);
  if (extended->long_path) entry->path = *std::move(extended->long_path);
  entry->link = TextField(block, tar::kLink.offset, tar::kLink.size);
  if (extended->link) entry->link = *std::move(extended->link);
  if (extended->long_link) entry->link = *std::move(extended->long_link);

  const char flag = block[tar::kTypeFlag];
  const auto type = TypeOf(flag, entry->path);
  if (!type) {
    return Error(Code::kUnsupported, "unhandled tar header type " + FlagText(flag) + " of \"" +
                                         entry->path.substr(0, kMaxTarName) + '"');
  }
  entry->type = *type;
  const auto mode = number(tar::kMode);
  const auto uid = number(tar::kUid);
  const auto gid = number(tar::kGid);
  const auto mtime = number(tar::kMtime);
  const auto size = number(tar::kSize);
  if (!mode || !uid || !gid || !mtime || !size || (!extended->uid && *uid < 0) ||
      (!extended->gid && *gid < 0)) {
    return Damaged("a number in a header is wrong");
  }
  entry->mode = static_cast<uint32_t>(*mode) & 07777;
  entry->uid = extended->uid ? *extended->uid : static_cast<uint64_t>(*uid);
  entry->gid = extended->gid ? *extended->gid : static_cast<uint64_t>(*gid);
  entry->mtime = extended->mtime ? *extended->mtime : timespec{*mtime, 0};
  entry->xattrs = std::move(extended->xattrs);
  if (*type == TarEntry::Type::kCharacterDevice || *type == TarEntry::Type::kBlockDevice) {
    const auto major = number(tar::kMajor);
    const auto minor = number(tar::kMinor);
    if (!major || !minor || *major < 0 || *minor < 0 || *major > UINT32_MAX ||
        *minor > UINT32_MAX) {
      return Damaged("a device's number is wrong");
    }
    entry->device_major = static_cast<uint32_t>(*major);
    entry->device_minor = static_cast<uint32_t>(*minor);
  }

  // Links, devices and folders have no data, whatever their size says; a folder of an incremental
  // GNU archive does, and is not one of these.
  uint64_t stored = extended->size ? *extended->size : static_cast<uint64_t>(*size);
  if (*type != TarEntry::Type::kFile) stored = 0;
  data_left_ = stored;
  padding_ = tar::Padding(stored);
  extents_.clear();
  extent_ = 0;
  done_ = 0;
  sparse_ = false;
  entry->size = stored;
  if (flag == 'S') return ReadOldSparse(block, entry);
  if (*type != TarEntry::Type::kFile) return {};

  const bool in_data = extended->sparse_major == "1" && extended->sparse_minor == "0";
  if (!in_data && !extended->has_sparse_map) return {};
  sparse_ = true;
  if (extended->sparse_name) entry->path = *std::move(extended->sparse_name);
  if (entry->path.contains('\0')) return Damaged("a name has a NUL byte");
  if (extended->sparse_size) entry->size = *extended->sparse_size;
  if (in_data) {
    TRY_VOID(ReadSparseTable(&data_left_));
  } else {
    const auto& numbers = extended->sparse_numbers;
    if (numbers.size() % 2 != 0) return Damaged("the map of a sparse file is out of order");
    for (size_t i = 0; i < numbers.size(); i += 2) extents_.push_back({numbers[i], numbers[i + 1]});
  }
  return CheckSparse(entry->size, data_left_);
}

// GNU tar's oldest form: the map in the header and in blocks behind it.
Result<void> TarReader::ReadOldSparse(const std::string& block, TarEntry* entry) {
  const auto real = tar::Number(block, {kOldSparseRealSize, tar::kSize.size});
  if (!real || *real < 0) return Damaged("a sparse file's size is wrong");
  entry->size = static_cast<uint64_t>(*real);
  sparse_ = true;
  bool ended = false;
  auto add = [&](std::string_view table, size_t count) -> Result<void> {
    for (size_t i = 0; i < count; ++i) {
      const size_t at = i * kOldSparseEntry;
      // An entry of NULs ends the map.
      if (table[at] == '\0') ended = true;
      if (ended) return {};
      const auto offset = tar::Number(table, {at, tar::kSize.size});
      const auto size = tar::Number(table, {at + tar::kSize.size, tar::kSize.size});
      if (!offset || !size || *offset < 0 || *size < 0) {
        return Damaged("the map of a sparse file has no numbers");
      }
      extents_.push_back({static_cast<uint64_t>(*offset), static_cast<uint64_t>(*size)});
    }
    return {};
  };
  TRY_VOID(add(std::string_view(block).substr(kOldSparseHeaderOffset), kOldSparseInHeader));
  bool more = block[kOldSparseMoreInHeader] != '\0';
  while (more) {
    std::string next;
    TRY(const bool there, ReadBlock(&next));
    if (!there) return Damaged("it ends inside of a header");
    TRY_VOID(add(next, kOldSparseInBlock));
    if (extents_.size() > kMaxSparsePieces) {
      return Error(Code::kResourceExhausted, "a sparse file has too many parts");
    }
    more = next[kOldSparseMoreInBlock] != '\0';
  }
  return CheckSparse(entry->size, data_left_);
}

// Form 1.0: the map stands before the data, as decimal numbers in lines.
Result<void> TarReader::ReadSparseTable(uint64_t* stored) {
  std::string line;
  uint64_t used = 0;
  auto next = [&]() -> Result<uint64_t> {
    line.clear();
    while (true) {
      if (used == *stored) return Damaged("the map of a sparse file ends too early");
      TRY(const std::string_view bytes, Fill(1));
      if (bytes.empty()) return Damaged("it ends inside of an entry");
      const char c = bytes.front();
      ++at_;
      ++used;
      if (c == '\n') break;
      line += c;
      if (line.size() > 20) return Damaged("the map of a sparse file has no numbers");
    }
    const auto number = tar::Decimal(line);
    if (!number) return Damaged("the map of a sparse file has no numbers");
    return *number;
  };
  TRY(const uint64_t count, next());
  if (count > kMaxSparsePieces) {
    return Error(Code::kResourceExhausted, "a sparse file has too many parts");
  }
  for (uint64_t i = 0; i < count; ++i) {
    TRY(const uint64_t offset, next());
    TRY(const uint64_t size, next());
    extents_.push_back({offset, size});
  }
  const uint64_t rest = tar::Padding(used);
  if (rest > *stored - used) return Damaged("the map of a sparse file ends too early");
  TRY_VOID(Skip(rest));
  *stored -= used + rest;
  return {};
}

Result<void> TarReader::CheckSparse(uint64_t size, uint64_t stored) const {
  uint64_t end = 0;
  uint64_t sum = 0;
  for (const Extent& extent : extents_) {
    if (extent.offset < end || extent.offset > size || extent.size > size - extent.offset) {
      return Damaged("the parts of a sparse file are out of order");
    }
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  if (sum != stored) return Damaged("a sparse file's data is not as long as its parts");
  return {};
}

Result<bool> TarReader::NextPiece(TarPiece* piece) {
  if (data_left_ == 0) return false;
  uint64_t wanted = data_left_;
  uint64_t offset = done_;
  if (sparse_) {
    while (done_ == extents_[extent_].size) {
      ++extent_;
      done_ = 0;
    }
    wanted = extents_[extent_].size - done_;
    offset = extents_[extent_].offset + done_;
  }
  TRY(const std::string_view bytes, Fill(1));
  if (bytes.empty()) return Damaged("it ends inside of an entry");
  piece->offset = offset;
  piece->bytes = bytes.substr(0, wanted);
  at_ += piece->bytes.size();
  done_ += piece->bytes.size();
  data_left_ -= piece->bytes.size();
  return true;
}

}  // namespace podium::image
