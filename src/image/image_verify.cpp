// Whether what images need is still what it was: before it is used, and on request.
#include <map>
#include <optional>
#include <vector>

#include "image/byte_source.h"
#include "image/image_state.h"
#include "image/image_store.h"

namespace podium::image {

Result<void> ImageStore::EnsureLayer(const Descriptor& layer, const Digest& diff_id) {
  auto checked = state_->layers->CheckBeforeUse(diff_id);
  if (checked.ok()) return {};
  const Error problem = std::move(checked).error();
  if (problem.code() != Code::kNotFound && problem.code() != Code::kDataLoss) return problem;
  if (problem.code() == Code::kDataLoss) {
    const auto damaged = state_->layers->Find(diff_id);
    if (damaged.ok()) TRY_VOID(state_->layers->Discard(*damaged));
  }
  TRY(const Digest blob, DigestOfDescriptor(layer));
  auto unpacked = Unpack(layer, diff_id);
  const bool gone = !unpacked.ok() && unpacked.error().code() == Code::kNotFound;
  if (!gone || content_.Contains(blob)) return unpacked;
  return Error(Code::kDataLoss, problem.message() + ", and the blob that it was made of is gone");
}

Result<std::vector<Damage>> ImageStore::VerifyBlobs(const BlobProgress& progress, uint64_t* done) {
  std::map<Digest, std::vector<Digest>> users;  // of each blob, the images
  for (const auto& [id, image] : state_->Snapshot().images) {
    for (const BlobInfo& blob : image->blobs) users[blob.digest].push_back(id);
  }
  std::vector<Damage> damages;
  for (const auto& [digest, images] : users) {
    auto blob = content_.OpenBlob(digest);
    std::string what = "is missing";
    if (blob.ok()) {
      FdSource file(blob->get());
      Hasher hasher(digest.algorithm);
      ObservedSource observed(file, [&](std::string_view piece) -> Result<void> {
        hasher.Update(piece);
        *done += piece.size();
        if (progress && !progress(*done)) return Error(Code::kCancelled, "verifying was cancelled");
        return {};
      });
      auto read = Drain(observed);
      if (!read.ok() && read.error().code() == Code::kCancelled) return std::move(read).error();
      if (read.ok() && hasher.Finish() == digest) continue;
      what = read.ok() ? "is damaged" : "cannot be read: " + read.error().message();
      static_cast<void>(content_.Remove(digest));
    } else if (blob.error().code() != Code::kNotFound) {
      return std::move(blob).error();
    }
    damages.push_back({digest, images, "blob " + digest.String() + ' ' + what});
    const std::lock_guard guard(state_->mutex);
    state_->missing.insert(digest);
  }
  return damages;
}

Result<std::vector<Damage>> ImageStore::VerifyLayers(const BlobProgress& progress, uint64_t done) {
  struct Use {
    std::vector<Digest> images;
    Descriptor blob;
  };
  std::map<Digest, Use> uses;
  for (const auto& [id, image] : state_->Snapshot().images) {
    for (size_t i = 0; i < image->diff_ids.size(); ++i) {
      Use& use = uses[image->diff_ids[i]];
      use.images.push_back(id);
      use.blob = image->layers[i];
    }
  }
  std::vector<Damage> damages;
  for (const auto& [diff_id, use] : uses) {
    // So that it is not collected meanwhile.
    ContentHold hold = Hold();
    hold.Keep(diff_id);
    const auto layer = state_->layers->Find(diff_id);
    std::optional<Error> problem;
    if (layer.ok()) {
      uint64_t read = 0;
      auto checked = state_->layers->Check(*layer, [&](uint64_t bytes) {
        read = bytes;
        return !progress || progress(done + bytes);
      });
      done += read;
      if (checked.ok()) continue;
      if (checked.error().code() != Code::kDataLoss) return std::move(checked).error();
      TRY_VOID(state_->layers->Discard(*layer));
      problem = std::move(checked).error();
    } else {
      problem = layer.error();
    }
    const auto unpacked = Unpack(use.blob, diff_id);
    if (!unpacked.ok() && unpacked.error().code() == Code::kResourceExhausted) {
      return unpacked.error();
    }
    damages.push_back({diff_id, use.images, problem->message(), unpacked.ok()});
  }
  return damages;
}

Result<std::vector<Damage>> ImageStore::Verify(const BlobProgress& progress) {
  uint64_t done = 0;
  // Blobs first: layers are unpacked again from those that are whole.
  TRY(std::vector<Damage> damages, VerifyBlobs(progress, &done));
  TRY(std::vector<Damage> layers, VerifyLayers(progress, done));
  damages.insert(damages.end(), std::move_iterator(layers.begin()),
                 std::move_iterator(layers.end()));
  return damages;
}

}  // namespace podium::image
