// Who may use an image that is on this machine: upstream's records of pulls and their credentials
// (pkg/kubelet/images/pullmanager, KubeletEnsureSecretPulledImages; release 1.36, with the policy
// NeverVerifyPreloadedImages). An image that was pulled with the secret of one pod is pulled again
// for another that does not have it, so that the registry says whether that one may, too.
//
//   DATA/image_manager/pulling/sha256-HEX   of the image's name: ImagePullIntent. Written before a
//                                           pull, removed when its record is there
//   DATA/image_manager/pulled/sha256-HEX    of the image's id: ImagePulledRecord, the credentials
//                                           by repository
//
// What an administrator brought (imported, `podium pull`) every pod may use, under that name; so
// does what stands in neither.
// What was being pulled when the machine or the agent died has no credentials: every pod pulls.
// Secrets are known by a hash of what they say, never by it. A record is on disk before a pull is
// told to be done, and so is an intent before it begins.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "node/image_service.h"
#include "node/node_config.h"

namespace podium::node {

// Threads: any. `image` is always as the pod has it.
class PullRecords {
 public:
  PullRecords(const NodeConfig& config, const Clock& clock) : config_(config), clock_(clock) {}

  // To be called before anything else. `find`: the id of an image by name or id; none when it is
  // not there. Pulls that an earlier process began become records without credentials, records of
  // images that are gone go.
  void Recover(const std::function<std::optional<std::string>(const std::string& image)>& find);

  // Each Begin that succeeds is followed by a Done or a Failed. No pull without its intent.
  Result<void> Begin(const std::string& image);
  void Failed(const std::string& image);
  // `secret`: whose credentials the registry took; none: the machine's own, or nobody's.
  void Done(const std::string& image, const std::string& id,
            const std::optional<ImageSecret>& secret);

  // It was brought by hand. A record that cannot be written leaves the pods to ask the registry.
  void Allow(const std::string& image, const std::string& id);

  // Whether a pod with these secrets (those that are for the image) must pull it, though it is
  // here. A secret that holds what was used before, or that was used before it was changed, is
  // written down as well.
  bool MustPull(const std::string& image, const std::string& id,
                std::span<const ImageSecret> secrets);

 private:
  struct Access {
    bool everybody = false;
    std::vector<ImageSecret> secrets;
  };
  using Record = std::map<std::string, Access>;  // by repository

  std::string Folder(const char* kind) const;
  // All with the lock held. None: there is no record.
  Result<std::optional<Record>> Read(const std::string& id);
  Result<void> Write(const std::string& id, const Record& record);
  Result<void> Add(const std::string& image, const std::string& id,
                   const std::optional<ImageSecret>& secret);
  void End(const std::string& image);

  const NodeConfig& config_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, int> pulling_;  // by image, how many; under mutex_
  std::set<std::string> unread_;        // images that an earlier process was pulling; likewise
};

}  // namespace podium::node
