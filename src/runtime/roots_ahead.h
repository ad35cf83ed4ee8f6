// Roots made ahead: what a container of an image that was just used would be made of, its writable
// layer mounted on the image's layers, before anybody asks for it. Making one takes the disk a
// dozen new files and folders, which is a sixth of the time that a pod's start has.
//
// The next container is most often one of an image of the last ones: of a rollout, or of a loop
// that crashes. So there is a root for each of the last containers' images, as many as containers
// are remembered, and no more; one that is no longer among them goes.
//
// A root here holds no ImagePin: it must not keep an image on the disk that somebody removes. So
// whoever takes one, holding a pin, gets it only if each of its layers is still the very folder
// that the image has now; as long as a root is mounted no other folder can have that number.
//
// Roots are in DATA/roots until they are taken and belong to the process that made them: what one
// that was killed has left, the next one removes. Private to this room.
//
// Threads: any.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/image_store.h"
#include "linux/mounts.h"

namespace podium::runtime {

class RootsAhead {
 public:
  // Takes a folder away for good, whenever there is time for it.
  using Remover = std::function<void(std::string)>;

  // `folder` is the roots' own; `places` is the lowest layer of each (isolators/all.h). At most so
  // many at a time; 0: none, ever. `images` outlives this.
  RootsAhead(std::string folder, std::string places, image::ImageStore& images, size_t most,
             Remover remover);
  RootsAhead(const RootsAhead&) = delete;
  RootsAhead& operator=(const RootsAhead&) = delete;

  // Makes the folder, and removes what an earlier process has left in it.
  Result<void> Open();

  // A container is being made of this image, of which the caller has a pin. A root of it, if there
  // is one, whose writable layer is from now on in `container_folder`, which must not be there yet;
  // an empty one otherwise. And the image is remembered.
  kernel::Mount Take(const image::ImageInfo& image, const std::string& container_folder);

  // Makes one, or takes some away, if that is due; false: nothing is. When no pod is being made.
  bool Refill();

  // How many wait.
  size_t size() const;
  // Removes all. None is made afterwards.
  void Clear();

 private:
  using Inode = std::pair<dev_t, ino_t>;
  struct Root {
    image::Digest image;
    std::string folder;
    std::vector<std::string> layers;
    std::vector<Inode> inodes;  // of these
    kernel::Mount mount;
  };

  static Result<std::vector<Inode>> InodesOf(const std::vector<std::string>& layers);
  static bool IsOf(const Root& root, const std::vector<std::string>& layers);
  Result<Root> Make(const image::Digest& id);
  void Discard(std::vector<Root> roots);
  std::vector<Root> TakeUnwanted();
  std::optional<image::Digest> Missing() const;

  const std::string folder_;
  const std::string places_;
  image::ImageStore& images_;
  const Remover remover_;
  mutable std::mutex mutex_;
  // Under mutex_.
  size_t most_;
  std::deque<image::Digest> recent_;  // images of the last containers, the last one in front
  std::deque<Root> roots_;            // the oldest in front
};

}  // namespace podium::runtime
