// The archive that tar makes in a container, as bytes to read. A session that breaks off is gone on
// with by another one, which leaves out what was read before, as often as is allowed
// (upstream's k8s.io/kubectl/pkg/cmd/cp, TarPipe).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "cli/pod_target.h"
#include "client/remote.h"
#include "image/byte_source.h"

namespace podium::cli {

class ContainerTar : public image::ByteSource {
 public:
  // All of them must live as long. What the container says of errors goes to the standard output,
  // where kubectl has it too. `retries`: below 0 without an end.
  ContainerTar(const PodTarget& target, std::string container, std::string file, int64_t retries,
               const Streams& streams);

  // 0 when the command has ended, however that was.
  Result<size_t> Read(std::span<char> buffer) override;

  // Behind the archive's end: waits until the command has ended, and says how. kDataLoss where it
  // goes on and on.
  Result<int> Finish();
  // How it ended, where it has.
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  Result<void> Start();
  // The next bytes into pending_, or exit_code_.
  Result<void> Fetch();
  // Whether there is another try, and tells so.
  bool MayRetry(const Error& error);
  void Tell(std::string_view text);

  const PodTarget& target_;
  const client::Client client_;
  const std::string container_;
  const std::string file_;
  const int64_t retries_;
  const Streams& streams_;

  std::optional<client::RemoteCommand> remote_;
  std::string pending_;
  size_t taken_ = 0;  // of pending_
  uint64_t read_ = 0;
  int64_t tries_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace podium::cli
