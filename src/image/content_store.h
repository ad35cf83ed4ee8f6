// Blobs by their digest, on disk: what registries and archives deliver, before anything is made of
// it.
//
//   ROOT/blobs/sha256/<hex>     a whole blob; never changed
//   ROOT/ingest/sha256-<hex>    what has arrived so far of a blob that is still coming
//
// A blob is written, its size and digest are checked, it is fsynced, and then renamed to its place:
// whatever stands in blobs/ was whole, also after a crash at any moment. What has arrived of a blob
// is kept, so that a broken download goes on where it stopped. Bytes that the disk damages later
// are found by Verify and by Read.
//
// Threads and processes: everything may be called from any of them at any time. One writer a blob:
// while it is being written, a second Begin gives kUnavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/byte_source.h"
#include "image/digest.h"

namespace podium::image {

struct BlobInfo {
  Digest digest;
  uint64_t size = 0;
};

// A blob on its way in. Dropped without Commit, what was written stays for the next one.
class BlobWriter {
 public:
  // How many bytes are there already; writing goes on behind them.
  uint64_t offset() const { return offset_; }

  // kInvalidArgument when there are more bytes than the blob has. Disk full: kResourceExhausted.
  // After an error none of the bytes count as written.
  Result<void> Write(std::string_view bytes);

  // The blob is in the store, and on disk, when this succeeds. kDataLoss when size or digest differ
  // from what was announced: what was written is then dropped.
  Result<void> Commit();

  // Drops what was written.
  void Discard();

 private:
  friend class ContentStore;
  BlobWriter(BlobInfo blob, std::string partial, std::string place, UniqueFd file, Hasher hasher,
             uint64_t offset)
      : blob_(std::move(blob)),
        partial_(std::move(partial)),
        place_(std::move(place)),
        file_(std::move(file)),
        hasher_(std::move(hasher)),
        offset_(offset) {}
  // From the beginning, whatever is there.
  Result<void> Restart();

  BlobInfo blob_;
  std::string partial_;
  std::string place_;
  UniqueFd file_;
  Hasher hasher_;
  uint64_t offset_;
};

class ContentStore {
 public:
  // Makes the folders where they are missing. `root` is an absolute path.
  static Result<ContentStore> Open(std::string root);

  bool Contains(const Digest& digest) const;

  // Begins or goes on with a blob of a known digest and size. kAlreadyExists when it is there.
  Result<BlobWriter> Begin(const BlobInfo& blob);
  // The same in one step, for bytes that are in memory. Content that is there already is no error,
  // and another writer of it is waited for.
  Result<Digest> Put(std::string_view bytes);

  // For bytes that come once and whose digest nobody knows yet: they are hashed while they are
  // written. `known`, if there is one, is called with the digest before the blob is in the store,
  // and its error is passed on; content that is there already is no error. Needs a file system with
  // O_TMPFILE.
  using DigestKnown = std::function<Result<void>(const Digest& digest)>;
  Result<BlobInfo> PutStream(ByteSource& source, const DigestKnown& known = {},
                             std::string_view algorithm = "sha256");

  // To read from, from the beginning. kNotFound.
  Result<UniqueFd> OpenBlob(const Digest& digest) const;
  // The whole of a small blob (a manifest, a config), its digest checked: kDataLoss when it
  // differs. kResourceExhausted when it is larger than max_size.
  Result<std::string> Read(const Digest& digest, uint64_t max_size) const;

  // Reads the blob and compares its digest. A damaged one is removed, so that it is fetched again,
  // and kDataLoss returned.
  Result<void> Verify(const Digest& digest);

  Result<void> Remove(const Digest& digest);
  // All blobs, in the order of their digests.
  Result<std::vector<BlobInfo>> List() const;

 private:
  explicit ContentStore(std::string root) : root_(std::move(root)) {}
  // `wait`: for another writer, instead of kUnavailable.
  Result<BlobWriter> BeginOnce(const BlobInfo& blob, bool wait);
  std::string Place(const Digest& digest) const;
  std::string Partial(const Digest& digest) const;

  std::string root_;
};

}  // namespace podium::image
