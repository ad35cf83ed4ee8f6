#include "node/volumes/volume_manager.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/text.h"
#include "node/fake_objects.h"
#include "node/volumes/volumes.h"
#include "support/own_namespaces.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;
namespace cri = wire::cri;

constexpr int64_t kTmpfs = 0x01021994;

int64_t TypeAt(const std::string& path) {
  struct statfs status{};
  return statfs(path.c_str(), &status) == 0 ? status.f_type : -1;
}

uint64_t SizeAt(const std::string& path) {
  struct statfs status{};
  if (statfs(path.c_str(), &status) != 0) return 0;
  return status.f_blocks * static_cast<uint64_t>(status.f_bsize);
}

bool SameFile(int fd, const std::string& path) {
  struct stat a{};
  struct stat b{};
  return fstat(fd, &a) == 0 && stat(path.c_str(), &b) == 0 && a.st_ino == b.st_ino &&
         a.st_dev == b.st_dev;
}

size_t MountsBelow(const std::string& path) {
  std::ifstream in("/proc/thread-self/mountinfo");
  size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.find(" " + path + "/") != std::string::npos) ++count;
  }
  return count;
}

class Volumes : public ::testing::Test {
 protected:
  Volumes() {
    config_.data_dir = scratch_.path();
    config_.memory_bytes = int64_t{1} << 30;
    objects_.AddConfigMap("c", {{"key", "value"}});
    objects_.AddSecret("s", {{"password", "hush"}});
  }

  // Where a volume is.
  std::string At(const std::string& name) { return scratch_.path() + "/pods/u/volumes/" + name; }
  std::string SetUp(const v1::Pod& pod) { return Join(manager_.SetUp(pod), "; ", &Error::message); }
  using ::testing::Test::SetUp;
  Result<std::vector<ContainerMount>> Mounts(const v1::Pod& pod) {
    Environment environment;
    environment.Set("NAME", "sub");
    return manager_.MountsOf(pod, pod.spec.containers[0], environment, images_);
  }
  // What MountsOf says for one mount of one volume.
  std::string MountError(const std::string& volume, const std::string& mount) {
    const v1::Pod pod = PodOf("volumes: [{name: v, " + volume +
                              "}], containers: [{name: a, volumeMounts: [" + mount + "]}]");
    EXPECT_EQ(SetUp(pod), "");
    auto mounts = Mounts(pod);
    return mounts.ok() ? "" : mounts.error().message();
  }

  ScratchFolder scratch_;
  NodeConfig config_;
  FakeObjects objects_;
  FixedClock clock_;
  VolumeImages images_;
  VolumeManager manager_{config_, objects_, clock_};
};

TEST_F(Volumes, EmptyDirIsForEveryoneAndKeepsWhatIsInIt) {
  const v1::Pod pod = PodOf("volumes: [{name: v, emptyDir: {}}], containers: [{name: a}]");
  const mode_t umask_before = umask(077);
  EXPECT_EQ(SetUp(pod), "");
  umask(umask_before);
  const std::string path = At("kubernetes.io~empty-dir/v");
  EXPECT_EQ(ModeAt(path), 0777);
  EXPECT_EQ(ModeAt(scratch_.path() + "/pods/u") & 07, 0);
  WriteText(path + "/file", "x");
  // What a container does to it stays.
  ASSERT_EQ(chmod(path.c_str(), 0700), 0);
  EXPECT_EQ(SetUp(pod), "");
  EXPECT_EQ(ModeAt(path), 0700);
  EXPECT_EQ(ReadText(path + "/file"), "x");
  ASSERT_TRUE(manager_.TearDown("u").ok());
  EXPECT_FALSE(fs::exists(scratch_.path() + "/pods/u/volumes"));
  EXPECT_TRUE(manager_.TearDown("u").ok());
  EXPECT_TRUE(manager_.TearDown("never").ok());
}

// What a container has filled takes a disk's time to remove, and the pod's end does not.
TEST_F(Volumes, WhatTheyHeldIsPutAside) {
  const v1::Pod pod = PodOf("volumes: [{name: v, emptyDir: {}}], containers: [{name: a}]");
  ASSERT_EQ(SetUp(pod), "");
  WriteText(At("kubernetes.io~empty-dir/v") + "/file", "x");
  ASSERT_TRUE(manager_.TearDown("u").ok());
  EXPECT_FALSE(fs::exists(scratch_.path() + "/pods/u/volumes"));
  const std::string aside = RemovedVolumes(config_, "u");
  EXPECT_EQ(ReadText(aside + "/kubernetes.io~empty-dir/v/file"), "x");
  // Nothing is lost or mixed should there be volumes again before that is gone.
  ASSERT_EQ(SetUp(pod), "");
  EXPECT_FALSE(manager_.TearDown("u").ok());
  EXPECT_TRUE(fs::exists(At("kubernetes.io~empty-dir/v")));
  fs::remove_all(aside);
  EXPECT_TRUE(manager_.TearDown("u").ok());
}

TEST_F(Volumes, MemoryOnesAreMountedOnceAndSized) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    const v1::Pod pod = PodOf(
        "volumes: [{name: small, emptyDir: {medium: Memory, sizeLimit: 1Mi}}, "
        "{name: limited, emptyDir: {medium: Memory}}], "
        "containers: [{name: a, resources: {limits: {memory: 64Mi}}}]");
    EXPECT_EQ(SetUp(pod), "");
    const std::string small = At("kubernetes.io~empty-dir/small");
    EXPECT_EQ(TypeAt(small), kTmpfs);
    EXPECT_EQ(ModeAt(small), 0777);
    EXPECT_EQ(SizeAt(small), uint64_t{1} << 20);
    EXPECT_EQ(SizeAt(At("kubernetes.io~empty-dir/limited")), uint64_t{64} << 20);
    WriteText(small + "/file", "x");
    EXPECT_EQ(SetUp(pod), "");
    EXPECT_EQ(ReadText(small + "/file"), "x");
    EXPECT_EQ(MountsBelow(scratch_.path()), 2U);
    // By a manager that knows nothing of them, as after a restart.
    VolumeManager other(config_, objects_, clock_);
    ASSERT_TRUE(other.TearDown("u").ok());
    EXPECT_EQ(MountsBelow(scratch_.path()), 0U);
    EXPECT_FALSE(fs::exists(scratch_.path() + "/pods/u/volumes"));
  });
}

// By a container whose mounts reach the machine: they end with the volume, and what they show
// stays.
TEST_F(Volumes, WhatIsMountedInThemIsUnmounted) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    const v1::Pod pod =
        PodOf("volumes: [{name: v, emptyDir: {}}], containers: [{name: a, resources: {}}]");
    EXPECT_EQ(SetUp(pod), "");
    const std::string there = At("kubernetes.io~empty-dir/v/there");
    const std::string elsewhere = scratch_.path() + "/elsewhere";
    fs::create_directories(there);
    fs::create_directories(elsewhere);
    WriteText(elsewhere + "/file", "x");
    ASSERT_EQ(mount(elsewhere.c_str(), there.c_str(), nullptr, MS_BIND, nullptr), 0);
    const auto done = manager_.TearDown("u");
    EXPECT_TRUE(done.ok()) << done.error().message();
    EXPECT_EQ(MountsBelow(scratch_.path()), 0U);
    fs::remove_all(RemovedVolumes(config_, "u"));
    EXPECT_EQ(ReadText(elsewhere + "/file"), "x");
  });
}

TEST_F(Volumes, AMemoryVolumeOfNoLimitIsBoundedByTheNode) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    EXPECT_EQ(SetUp(PodOf("volumes: [{name: v, emptyDir: {medium: Memory}}], "
                          "containers: [{name: a}]")),
              "");
    EXPECT_EQ(SizeAt(At("kubernetes.io~empty-dir/v")), uint64_t{1} << 30);
  });
}

TEST_F(Volumes, HugePagesNeedARequest) {
  EXPECT_EQ(SetUp(PodOf("volumes: [{name: v, emptyDir: {medium: HugePages}}], "
                        "containers: [{name: a}]")),
            "MountVolume.SetUp failed for volume \"v\" : hugePages storage requested, but there is "
            "no resource request for huge pages.");
  EXPECT_EQ(SetUp(PodOf("volumes: [{name: v, emptyDir: {medium: HugePages}}], "
                        "containers: [{name: a, resources: {limits: {hugepages-2Mi: 2Mi, "
                        "hugepages-1Gi: 1Gi, memory: 1Gi, cpu: 1}}}]")),
            "MountVolume.SetUp failed for volume \"v\" : medium HugePages can't be used if "
            "container(s) request multiple huge page sizes");
}

TEST_F(Volumes, ContentFollowsItsObjects) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    const v1::Pod pod = PodOf(
        "volumes: [{name: c, configMap: {name: c}}, {name: s, secret: {secretName: s}}, "
        "{name: d, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}, "
        "{name: p, projected: {sources: [{secret: {name: s}}, {configMap: {name: c}}]}}], "
        "containers: [{name: a}]");
    EXPECT_EQ(SetUp(pod), "");
    EXPECT_EQ(ReadText(At("kubernetes.io~configmap/c/key")), "value");
    EXPECT_EQ(ReadText(At("kubernetes.io~secret/s/password")), "hush");
    EXPECT_EQ(ReadText(At("kubernetes.io~downward-api/d/name")), "p");
    EXPECT_EQ(ReadText(At("kubernetes.io~projected/p/password")), "hush");
    EXPECT_EQ(ReadText(At("kubernetes.io~projected/p/key")), "value");
    // No secret reaches a disk.
    EXPECT_EQ(TypeAt(At("kubernetes.io~secret/s")), kTmpfs);
    EXPECT_EQ(TypeAt(At("kubernetes.io~projected/p")), kTmpfs);
    objects_.AddConfigMap("c", {{"key", "new"}, {"more", "x"}});
    EXPECT_EQ(SetUp(pod), "");
    EXPECT_EQ(ReadText(At("kubernetes.io~configmap/c/key")), "new");
    EXPECT_EQ(ReadText(At("kubernetes.io~projected/p/more")), "x");
    ASSERT_TRUE(manager_.TearDown("u").ok());
    EXPECT_EQ(MountsBelow(scratch_.path()), 0U);
  });
}

TEST_F(Volumes, TokensSayWhenTheyGrowOld) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    objects_.tokens = true;
    const v1::Pod pod = PodOf(
        "serviceAccountName: sa, securityContext: {runAsUser: 7}, volumes: ["
        "{name: v, projected: {sources: [{serviceAccountToken: "
        "{path: t, audience: x, expirationSeconds: 900}}]}}, "
        "{name: w, projected: {sources: [{serviceAccountToken: "
        "{path: t, audience: x, expirationSeconds: 600}}]}}], containers: [{name: a}]");
    EXPECT_EQ(manager_.RefreshAt("u"), std::nullopt);
    EXPECT_EQ(SetUp(pod), "");
    EXPECT_EQ(manager_.RefreshAt("u"), 600 * kSecond);
    EXPECT_EQ(ReadText(At("kubernetes.io~projected/v/t")), "token of sa for x");
    EXPECT_EQ(ModeAt(At("kubernetes.io~projected/v/t")), 0600);
    ASSERT_TRUE(manager_.TearDown("u").ok());
    EXPECT_EQ(manager_.RefreshAt("u"), std::nullopt);
  });
}

TEST_F(Volumes, EachThatFailsIsToldAndTheOthersAreMade) {
  const v1::Pod pod = PodOf(
      "volumes: [{name: x, configMap: {name: none}}, {name: b, hostPath: {path: /none, type: "
      "Directory}}, {name: z, emptyDir: {}}], containers: [{name: a}]");
  EXPECT_EQ(
      SetUp(pod),
      "MountVolume.SetUp failed for volume \"x\" : configmap \"none\" not found; "
      "MountVolume.SetUp failed for volume \"b\" : hostPath type check failed: /none is not a "
      "directory");
  EXPECT_TRUE(fs::exists(At("kubernetes.io~empty-dir/z")));
}

TEST_F(Volumes, WhatNobodyHereCanMountIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"nfs: {server: s, path: /p}", "NFS volumes are not offered here"},
      {"cephfs: {monitors: [m]}", "no volume plugin matched: cephfs is not offered here"},
      {"gitRepo: {repository: r}",
       "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling "
       "the feature-gate `GitRepoVolumeDriver`"},
      {"emptyDir: {medium: Paper}", "unknown storage medium \"Paper\""},
  };
  for (const auto& [volume, message] : cases) {
    EXPECT_EQ(
        SetUp(PodOf(std::string("volumes: [{name: v, ") + volume + "}], containers: [{name: a}]")),
        std::string("MountVolume.SetUp failed for volume \"v\" : ") + message);
  }
}

TEST_F(Volumes, MountsAreInTheContainersOrder) {
  images_["i"].image = "sha256:1234";
  const v1::Pod pod = PodOf(
      "volumes: [{name: e, emptyDir: {}}, {name: c, configMap: {name: c}}, "
      "{name: i, image: {reference: x}}, {name: h, hostPath: {path: " +
      scratch_.path() +
      "}}], containers: [{name: a, volumeMounts: ["
      "{name: c, mountPath: /c}, {name: e, mountPath: e, readOnly: true, "
      "recursiveReadOnly: Enabled}, {name: e, mountPath: /sub, subPath: x/y}, "
      "{name: e, mountPath: /expr, subPathExpr: $(NAME)/z}, "
      "{name: i, mountPath: /i, subPath: bin}, "
      "{name: h, mountPath: /h, mountPropagation: HostToContainer}]}]");
  ASSERT_EQ(SetUp(pod), "");
  auto mounts = Mounts(pod);
  ASSERT_TRUE(mounts.ok()) << mounts.error().message();
  ASSERT_EQ(mounts->size(), 6U);
  const auto& m = *mounts;
  EXPECT_EQ(m[0].mount.container_path, "/c");
  EXPECT_TRUE(m[0].mount.readonly);
  EXPECT_TRUE(SameFile(m[0].source.get(), At("kubernetes.io~configmap/c")));
  EXPECT_EQ(m[1].mount.container_path, "/e");
  EXPECT_TRUE(m[1].mount.readonly);
  EXPECT_TRUE(m[1].mount.recursive_read_only);
  EXPECT_FALSE(m[2].mount.readonly);
  EXPECT_EQ(m[2].mount.host_path, At("kubernetes.io~empty-dir/e/x/y"));
  EXPECT_TRUE(SameFile(m[2].source.get(), At("kubernetes.io~empty-dir/e/x/y")));
  EXPECT_TRUE(SameFile(m[3].source.get(), At("kubernetes.io~empty-dir/e/sub/z")));
  EXPECT_EQ(m[4].mount.image->image, "sha256:1234");
  EXPECT_EQ(m[4].mount.image_sub_path, "bin");
  EXPECT_TRUE(m[4].mount.readonly);
  EXPECT_FALSE(m[4].source);
  EXPECT_EQ(m[5].mount.propagation, cri::MountPropagation::kPropagationHostToContainer);
  EXPECT_TRUE(SameFile(m[5].source.get(), scratch_.path()));
  EXPECT_TRUE(m[1].mount.selinux_relabel);
  EXPECT_FALSE(m[5].mount.selinux_relabel);
}

TEST_F(Volumes, MountErrors) {
  struct Case {
    const char* volume;
    const char* mount;
    const char* message;
  };
  const Case cases[] = {
      {"emptyDir: {}", "{name: x, mountPath: /x}",
       "cannot find volume \"x\" to mount into container \"a\""},
      {"emptyDir: {}", "{name: v, mountPath: /x, subPath: /abs}",
       "error SubPath `/abs` must not be an absolute path"},
      {"emptyDir: {}", "{name: v, mountPath: /x, subPath: a/../b}",
       "unable to provision SubPath `a/../b`: must not contain '..'"},
      {"emptyDir: {}", "{name: v, mountPath: /x, recursiveReadOnly: Enabled}",
       "volume \"v\" requested recursive read-only mode, but it is not read-only"},
      {"emptyDir: {}", "{name: v, mountPath: /x, mountPropagation: Sideways}",
       "invalid MountPropagation mode: \"Sideways\""},
      {"image: {reference: x}", "{name: v, mountPath: /x}",
       "the image of volume \"v\" is not there yet"},
  };
  for (const Case& c : cases) EXPECT_EQ(MountError(c.volume, c.mount), c.message) << c.mount;
}

TEST_F(Volumes, ASubPathThatLeavesTheVolumeIsRefused) {
  const v1::Pod pod = PodOf(
      "volumes: [{name: v, emptyDir: {}}], containers: [{name: a, volumeMounts: "
      "[{name: v, mountPath: /x, subPath: link/x}]}]");
  ASSERT_EQ(SetUp(pod), "");
  fs::create_symlink("/", At("kubernetes.io~empty-dir/v/link"));
  auto mounts = Mounts(pod);
  ASSERT_FALSE(mounts.ok());
  // Nothing of what there is outside.
  EXPECT_EQ(mounts.error().message(),
            "failed to prepare subPath for volumeMount \"v\" of container \"a\"");
}

TEST_F(Volumes, FilesAreReadForVariables) {
  const v1::Pod pod = PodOf("volumes: [{name: v, emptyDir: {}}], containers: [{name: a}]");
  ASSERT_EQ(SetUp(pod), "");
  const std::string path = At("kubernetes.io~empty-dir/v");
  WriteText(path + "/env", "A=1\n");
  ASSERT_EQ(mkfifo((path + "/pipe").c_str(), 0600), 0);
  fs::create_symlink("/etc/passwd", path + "/link");
  auto read = manager_.ReadFile(pod, "v", "env");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, "A=1\n");
  for (const char* bad : {"none", "pipe", "link", "../v/env"}) {
    EXPECT_FALSE(manager_.ReadFile(pod, "v", bad).ok()) << bad;
  }
  EXPECT_FALSE(manager_.ReadFile(pod, "w", "env").ok());
}

TEST_F(Volumes, TheGroupOwnsThem) {
  PODIUM_NEEDS_ROOT();
  testing::InOwnNamespaces([this] {
    const v1::Pod pod = PodOf(
        "securityContext: {fsGroup: 4242}, volumes: [{name: e, emptyDir: {}}, "
        "{name: m, emptyDir: {medium: Memory}}, {name: c, configMap: {name: c, defaultMode: "
        "384}}], "
        "containers: [{name: a}]");
    EXPECT_EQ(SetUp(pod), "");
    for (const char* name : {"kubernetes.io~empty-dir/e", "kubernetes.io~empty-dir/m"}) {
      struct stat status{};
      ASSERT_EQ(stat(At(name).c_str(), &status), 0);
      EXPECT_EQ(status.st_gid, 4242U) << name;
      EXPECT_EQ(status.st_mode & 07777, 02777U) << name;
    }
    struct stat status{};
    ASSERT_EQ(stat(At("kubernetes.io~configmap/c/key").c_str(), &status), 0);
    EXPECT_EQ(status.st_gid, 4242U);
    EXPECT_EQ(status.st_mode & 07777, 0640U);
    ASSERT_TRUE(manager_.TearDown("u").ok());
  });
}

}  // namespace
}  // namespace podium::node
