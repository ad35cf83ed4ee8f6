// What the processes that run pods have in common, `podium agent` and `podium cri`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/instance.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "image/image_store.h"

namespace podium::commands {

// A variable, or null.
const char* Environment(const char* variable);

Result<void> MakeInstanceFolders(const Instance& instance);

// Held for as long as the descriptor is open. kAlreadyExists while another process has it: two of
// one instance would fight over every pod.
Result<UniqueFd> LockInstance(const Instance& instance);

// Waits for a moment where another process has the store: the kernel may be still at closing what
// one that was killed just now had open.
Result<std::unique_ptr<image::ImageStore>> OpenImages(const std::string& folder);

// SIGTERM and SIGINT as a descriptor; blocked from here on in every thread.
Result<UniqueFd> StopSignals();

// Writes a byte to the open descriptor of this number, and closes it; "": there is none.
void TellReady(std::string_view descriptor);

}  // namespace podium::commands
