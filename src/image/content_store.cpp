#include "image/content_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/image_reference.h"

namespace podium::image {
namespace {

constexpr size_t kBufferSize = size_t{128} << 10;
constexpr int kMaxGivenUp = 100;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kPartialMode = 0600;
constexpr mode_t kBlobMode = 0400;

Error Failed(const std::string& what) { return Error::FromErrno(errno, what); }

Result<void> MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST) return {};
  return Failed("making " + path);
}

Result<void> SyncFolder(const std::string& path) {
  const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0) return Failed("writing " + path + " to disk");
  return {};
}

Result<void> WriteAll(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("writing a blob");
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

// False with errno. Without `wait`, EWOULDBLOCK when another has the lock.
bool Lock(int fd, bool wait) {
  while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// Reads to the end, into a hasher and, where there is one, a string. Returns how much was read.
Result<uint64_t> ReadAll(int fd, Hasher* hasher, std::string* text) {
  std::vector<char> buffer(kBufferSize);
  uint64_t total = 0;
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("reading a blob");
    if (count == 0) return total;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
    hasher->Update(bytes);
    if (text) text->append(bytes);
    total += bytes.size();
  }
}

Result<uint64_t> SizeOf(int fd) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return Failed("reading a blob");
  return static_cast<uint64_t>(status.st_size);
}

Error Damaged(const Digest& digest, const Digest& found) {
  return {Code::kDataLoss, digest.String() + " is damaged: its bytes are " + found.String()};
}

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

Result<void> BlobWriter::Write(std::string_view bytes) {
  if (bytes.size() > blob_.size - offset_) {
    return Error(Code::kInvalidArgument, blob_.digest.String() + " is larger than the " +
                                             std::to_string(blob_.size) + " bytes announced");
  }
  // At its place, so that what a failed call left behind is overwritten by the next.
  TRY_VOID(WriteAll(file_.get(), bytes, offset_));
  hasher_.Update(bytes);
  offset_ += bytes.size();
  return {};
}

Result<void> BlobWriter::Commit() {
  if (offset_ != blob_.size) {
    Discard();
    return Error(Code::kDataLoss, blob_.digest.String() + " ends after " + std::to_string(offset_) +
                                      " of " + std::to_string(blob_.size) + " bytes");
  }
  const Digest found = hasher_.Finish();
  if (found != blob_.digest) {
    Discard();
    return Damaged(blob_.digest, found);
  }
  if (fchmod(file_.get(), kBlobMode) != 0 || fsync(file_.get()) != 0) {
    return Failed("writing " + partial_ + " to disk");
  }
  if (rename(partial_.c_str(), place_.c_str()) != 0) return Failed("renaming to " + place_);
  file_.reset();
  return SyncFolder(FolderOf(place_));
}

Result<void> BlobWriter::Restart() {
  if (ftruncate(file_.get(), 0) != 0) return Failed("emptying " + partial_);
  hasher_ = Hasher(blob_.digest.algorithm);
  offset_ = 0;
  return {};
}

void BlobWriter::Discard() {
  unlink(partial_.c_str());
  file_.reset();
}

Result<ContentStore> ContentStore::Open(std::string root) {
  ContentStore store(std::move(root));
  TRY_VOID(MakeFolder(store.root_));
  TRY_VOID(MakeFolder(store.root_ + "/ingest"));
  TRY_VOID(MakeFolder(store.root_ + "/blobs"));
  for (const DigestAlgorithm& algorithm : kDigestAlgorithms) {
    TRY_VOID(MakeFolder(store.root_ + "/blobs/" + algorithm.name));
  }
  return store;
}

std::string ContentStore::Place(const Digest& digest) const {
  return root_ + "/blobs/" + digest.algorithm + '/' + digest.hex;
}

std::string ContentStore::Partial(const Digest& digest) const {
  return root_ + "/ingest/" + digest.algorithm + '-' + digest.hex;
}

bool ContentStore::Contains(const Digest& digest) const {
  return access(Place(digest).c_str(), F_OK) == 0;
}

Result<BlobWriter> ContentStore::Begin(const BlobInfo& blob) { return BeginOnce(blob, false); }

Result<BlobWriter> ContentStore::BeginOnce(const BlobInfo& blob, bool wait) {
  const std::string partial = Partial(blob.digest);
  UniqueFd file(open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPartialMode));
  if (!file) return Failed("opening " + partial);
  if (!Lock(file.get(), wait)) {
    if (errno != EWOULDBLOCK) return Failed("locking " + partial);
    return Error(Code::kUnavailable, blob.digest.String() + " is being written by another");
  }
  // Another may have finished between the opening and the lock: then this file has no name any
  // more, or, renamed, stands in blobs/.
  if (Contains(blob.digest)) {
    unlink(partial.c_str());
    return Error(Code::kAlreadyExists, blob.digest.String() + " is in the store");
  }
  struct stat opened{};
  struct stat named{};
  if (fstat(file.get(), &opened) != 0) return Failed("reading " + partial);
  if (stat(partial.c_str(), &named) != 0 || opened.st_ino != named.st_ino) {
    return Error(Code::kUnavailable, blob.digest.String() + " was given up by another just now");
  }
  Hasher hasher(blob.digest.algorithm);
  TRY(const uint64_t offset, ReadAll(file.get(), &hasher, nullptr));
  BlobWriter writer(blob, partial, Place(blob.digest), std::move(file), std::move(hasher), offset);
  // Of a blob announced with another size; it is worth nothing.
  if (offset > blob.size) TRY_VOID(writer.Restart());
  return writer;
}

Result<Digest> ContentStore::Put(std::string_view bytes) {
  const Digest digest = DigestOf(bytes);
  Result<BlobWriter> writer = BeginOnce({digest, bytes.size()}, true);
  // Whoever was waited for may have given up.
  for (int i = 0; i < kMaxGivenUp && !writer.ok() && writer.error().code() == Code::kUnavailable;
       ++i) {
    writer = BeginOnce({digest, bytes.size()}, true);
  }
  if (!writer.ok()) {
    if (writer.error().code() == Code::kAlreadyExists) return digest;
    return std::move(writer).error();
  }
  // All of it is here, and what is there may be damaged.
  TRY_VOID(writer->Restart());
  TRY_VOID(writer->Write(bytes));
  TRY_VOID(writer->Commit());
  return digest;
}

Result<BlobInfo> ContentStore::PutStream(ByteSource& source, const DigestKnown& known,
                                         std::string_view algorithm) {
  const std::string folder = root_ + "/ingest";
  const UniqueFd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kPartialMode));
  if (!file) return Failed("making a file in " + folder);
  BlobInfo blob;
  Hasher hasher(algorithm);
  std::vector<char> buffer(kBufferSize);
  while (true) {
    TRY(const size_t count, source.Read(buffer));
    if (count == 0) break;
    const std::string_view bytes(buffer.data(), count);
    TRY_VOID(WriteAll(file.get(), bytes, blob.size));
    hasher.Update(bytes);
    blob.size += count;
  }
  blob.digest = hasher.Finish();
  if (known) TRY_VOID(known(blob.digest));
  if (Contains(blob.digest)) return blob;
  if (fchmod(file.get(), kBlobMode) != 0 || fsync(file.get()) != 0) {
    return Failed("writing " + blob.digest.String() + " to disk");
  }
  const std::string place = Place(blob.digest);
  const std::string self = "/proc/self/fd/" + std::to_string(file.get());
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, place.c_str(), AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    return Failed("making " + place);
  }
  TRY_VOID(SyncFolder(FolderOf(place)));
  return blob;
}

Result<UniqueFd> ContentStore::OpenBlob(const Digest& digest) const {
  UniqueFd file(open(Place(digest).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return Failed(digest.String());
  return file;
}

Result<std::string> ContentStore::Read(const Digest& digest, uint64_t max_size) const {
  TRY(const UniqueFd file, OpenBlob(digest));
  TRY(const uint64_t size, SizeOf(file.get()));
  if (size > max_size) {
    return Error(Code::kResourceExhausted, digest.String() + " has " + std::to_string(size) +
                                               " bytes, more than " + std::to_string(max_size));
  }
  std::string text;
  text.reserve(size);
  Hasher hasher(digest.algorithm);
  TRY_VOID(ReadAll(file.get(), &hasher, &text));
  const Digest found = hasher.Finish();
  if (found != digest) return Damaged(digest, found);
  return text;
}

Result<void> ContentStore::Verify(const Digest& digest) {
  TRY(const UniqueFd file, OpenBlob(digest));
  Hasher hasher(digest.algorithm);
  TRY_VOID(ReadAll(file.get(), &hasher, nullptr));
  const Digest found = hasher.Finish();
  if (found == digest) return {};
  TRY_VOID(Remove(digest));
  return Damaged(digest, found);
}

Result<void> ContentStore::Remove(const Digest& digest) {
  if (unlink(Place(digest).c_str()) != 0) return Failed(digest.String());
  return {};
}

Result<std::vector<BlobInfo>> ContentStore::List() const {
  std::vector<BlobInfo> blobs;
  for (const auto& [name, digits] : kDigestAlgorithms) {
    const std::string algorithm = name;
    std::error_code error;
    std::filesystem::directory_iterator folder(root_ + "/blobs/" + algorithm, error);
    for (const auto end = std::filesystem::end(folder); !error && folder != end;
         folder.increment(error)) {
      // What does not read as a digest is not ours.
      const auto digest = Digest::Parse(algorithm + ':' + folder->path().filename().string());
      std::error_code gone;
      const uint64_t size = folder->file_size(gone);
      if (digest.ok() && !gone) blobs.push_back({*digest, size});
    }
    if (error) return Error::FromErrno(error.value(), "reading " + root_ + "/blobs/" + algorithm);
  }
  std::ranges::sort(blobs, {}, &BlobInfo::digest);
  return blobs;
}

}  // namespace podium::image
