// plan_layout.h: a container's plan as bytes, in a sealed memfd that the agent writes and the
// container's own process maps. The shim itself never looks inside: environment variables, which
// may be secret, are in no memory that outlives the container's start.
//
// Everything is decided when the plan is written; whoever carries it out has no policy. plan.h is
// how the agent writes one.
//
// A PlanHeader, then whatever its references point to. A TextRef points to `size` bytes and a NUL
// that is not counted; a TableRef to `count` entries, aligned to 8. All are checked: inside the
// file, no NUL inside a text, no overlap with the header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podium::runtime::shim {

inline constexpr uint32_t kPlanMagic = 0x6e6c7070;  // "ppln"
inline constexpr uint32_t kPlanVersion = 1;

// The kernel's own bounds: 6 MiB of arguments and environment (a quarter of the 24 MiB that a stack
// of default limits allows is 2 MiB; more can be configured), 4,096 instructions of a filter.
inline constexpr size_t kMaxPlan = 8U << 20;
inline constexpr size_t kMaxPlanEntries = 65536;  // of any table
inline constexpr size_t kMaxFilter = 4096;        // instructions
inline constexpr size_t kMaxPath = 4096;          // with its NUL

struct TextRef {
  uint32_t offset;
  uint32_t size;  // offset 0 and size 0: absent
};

struct TableRef {
  uint32_t offset;
  uint32_t count;
};

inline constexpr const char* kSelinuxAttribute = "security.selinux";

enum class LabelKind : uint32_t { kNone = 0, kAppArmor = 1, kSelinux = 2 };

enum : uint32_t {
  kPlanNoNewPrivileges = 1U << 0,
  kPlanReadOnlyRoot = 1U << 1,
  kPlanNewPid = 1U << 2,  // containers: a pid namespace of its own, nested in the pod's if it has
                          // one; without: the pod's, else the host's
  kPlanNewCgroup = 1U << 3,  // containers: a cgroup namespace
  kPlanConsole = 1U << 4,    // containers with a terminal: /dev/console is it
};

struct PlanHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t size;  // of the whole plan: the memfd's size
  uint32_t flags;

  // The process.
  TableRef arguments;    // of TextRef; at least one
  TableRef environment;  // of TextRef: "NAME=value"; PATH among them is where the program is sought
  TextRef cwd;           // absolute; made if it is missing (containers), as runc does
  uint32_t uid, gid;     // as the container's user namespace counts
  TableRef groups;       // of uint32_t: all supplementary groups
  uint32_t umask;
  int32_t oom_score_adj;
  TableRef rlimits;  // of PlanRlimit
  // Capabilities by number as bits. Ambient ones must be permitted and inheritable too.
  uint64_t bounding, effective, permitted, inheritable, ambient;
  TextRef filter;         // seccomp: struct sock_filter; absent: unconfined
  uint32_t filter_flags;  // SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW
  LabelKind label_kind;
  TextRef label;

  // The container's world; absent in an exec's plan.
  int32_t root;     // descriptor: a detached mount, or -1 for an exec
  uint32_t unused;  // 0
  TableRef mounts;  // of PlanMount, carried out in order
};

struct PlanRlimit {
  uint32_t resource;
  uint32_t unused;  // 0
  uint64_t soft, hard;
};

enum class MountKind : uint32_t {
  // A new file system: source is its type ("proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup",
  // "cgroup2"), options its parameters.
  kNew = 1,
  // A detached mount given as a descriptor: a volume, a file such as /etc/hosts.
  kAttach = 2,
  // The pod's shared memory (RunSandbox.shm_size).
  kPodShm = 3,
  // A device node: mode (with S_IFCHR, S_IFBLK or S_IFIFO), uid, gid, major, minor. In a user
  // namespace only null, zero, full, random, urandom and tty can be had this way; others come as
  // kAttach.
  kDevice = 4,
  // A symbolic link at target with the content source. Left alone if there is anything.
  kSymlink = 5,
  // A folder with mode, uid, gid, made if it is missing; left as it is if not.
  kFolder = 6,
  // Hides target: a file behind /dev/null, a folder behind an empty read-only tmpfs. Skipped if
  // there is none.
  kMask = 7,
  // Makes target, and what is mounted below it, read-only. Skipped if there is none.
  kReadOnly = 8,
  // Gives the folder at target the SELinux label in source: for a new file system that takes no
  // context as an option (mqueue).
  kLabel = 9,
};

enum : uint32_t {
  // The target's place is made if it is missing (0755, by root): a folder for kNew and kPodShm,
  // what
  // the source is for kAttach. Otherwise a missing one is an error.
  kMountMakeTarget = 1U << 0,
  // No component of the target may be a symbolic link (ELOOP). For /proc, /sys, /dev.
  kMountNoSymlinks = 1U << 1,
  // attr_set, attr_clear and propagation hold for the whole tree of a kAttach.
  kMountRecursive = 1U << 2,
};

// Targets are absolute paths inside the container's root, in which links are followed as the
// container would, never out of it. A target must not lie in a proc file system (kMask and
// kReadOnly may), so nothing can be put in front of what the runtime itself trusts.
struct PlanMount {
  MountKind kind;
  uint32_t flags;
  TextRef target;
  TextRef source;
  TableRef options;      // of TextRef: "key=value" or "flag"
  int32_t descriptor;    // kAttach
  uint32_t propagation;  // 0, MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE
  uint64_t attr_set;     // MOUNT_ATTR_*
  uint64_t attr_clear;   // likewise
  uint32_t mode, uid, gid;
  uint32_t major, minor;
  // kMask, kReadOnly, kLabel: the magic number (statfs) of the file system that target must be on,
  // or 0. With it a link swapped in by a container that shares a volume cannot lead elsewhere.
  uint32_t file_system;
};

static_assert(sizeof(TextRef) == 8 && sizeof(TableRef) == 8);
static_assert(sizeof(PlanHeader) == 152);
static_assert(sizeof(PlanMount) == 80);
static_assert(sizeof(PlanRlimit) == 24);

}  // namespace podium::runtime::shim
