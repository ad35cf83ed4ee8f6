// Volumes that are a place: where they are, and how containers see them.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "node/local_storage.h"
#include "node/pod_fields/field_cases.h"
#include "node/volumes/volumes.h"

namespace podium::node::pod_fields {
namespace {

const std::string kFolder = kHostFolder;

// A pod with this volume, mounted by container a; and what else it says.
FieldCase Mounted(const std::string& field, const std::string& volume, Look look,
                  const std::string& expected, Prepare before = {}, const std::string& more = {}) {
  return {.field = field,
          .spec = more + "volumes: [{name: v, " + volume +
                  "}], containers: [{name: a, volumeMounts: [{name: v, mountPath: /x}]}]",
          .look = std::move(look),
          .expected = expected,
          .before = std::move(before)};
}

ContainerCase MountedSo(const std::string& field, const std::string& mount, Look look,
                        const std::string& expected) {
  return {.field = "VolumeMount." + field,
          .container = "env: [{name: ME, value: web}], volumeMounts: [{name: v, " + mount + "}]",
          .look = std::move(look),
          .expected = expected,
          .spec = "volumes: [{name: v, hostPath: {path: " + kFolder + "}}]"};
}

Look Mount(const std::string& path) { return Container("mounts[0]." + path); }

bool IsMountPoint(const std::string& path) {
  struct stat own{};
  struct stat outer{};
  return stat(path.c_str(), &own) == 0 && stat((path + "/..").c_str(), &outer) == 0 &&
         own.st_dev != outer.st_dev;
}

// The claim "c", bound to a folder of this machine.
void Claim(PodRun& run, const std::string& name, const std::string& owner) {
  v1::PersistentVolumeClaim claim;
  claim.metadata.name = name;
  claim.metadata.uid = "uid-c";
  claim.spec.volumeName = "pv";
  claim.status.phase = "Bound";
  if (!owner.empty()) {
    auto& reference = claim.metadata.ownerReferences.emplace_back();
    reference.uid = owner;
    reference.controller = true;
  }
  run.node.objects.claims[name] = claim;
  v1::PersistentVolume volume;
  volume.metadata.name = "pv";
  volume.spec.local.ensure().path = kFolder + "/pv";
  volume.spec.claimRef.ensure().uid = "uid-c";
  run.node.objects.persistent_volumes["pv"] = volume;
  std::filesystem::create_directory(kFolder + "/pv");
}

void PodsClaim(PodRun& run) { Claim(run, "c", ""); }

// A claim of a folder that is the group's already, while a file in it is not.
void GroupsFolder(PodRun& run) {
  PodsClaim(run);
  const std::string path = kFolder + "/pv";
  WriteText(path + "/file", "");
  EXPECT_EQ(chown(path.c_str(), 0, 7), 0);
  EXPECT_EQ(chmod(path.c_str(), 02770), 0);
}

std::string GroupOfFile(PodRun& run) {
  struct stat status{};
  if (Mount("host_path")(run).empty()) return "no mount";
  if (stat((kFolder + "/pv/file").c_str(), &status) != 0) return "no file";
  return "group " + std::to_string(status.st_gid) + ", container in " +
         Container("linux.security_context.supplemental_groups")(run);
}

// What the pod's disk use is found to exceed.
std::string Exceeded(PodRun& run) {
  const std::string path = Mount("host_path")(run);
  WriteText(path + "/file", std::string(size_t{2} << 20, 'x'));
  const auto usage = MeasureStorage(run.pod, run.node.config, run.node.runtime);
  const auto excess = ExceededStorage(run.pod, usage);
  return excess ? excess->message : "nothing";
}

// The same for claims of the pod's own.
std::string OwnClaim(PodRun& run) {
  Claim(run, "p-v", "u");
  return Mount("host_path")(run);
}

std::string VolumeImage(PodRun& run) {
  run.node.images.in_registry.insert("data:1");
  return Mount("image.user_specified_image")(run);
}

std::string PullsOfVolume(PodRun& run) {
  run.node.images.present.insert("busybox:1");
  run.node.images.present.insert("data:1");
  run.node.images.in_registry.insert("data:1");
  run.Start();
  return std::to_string(run.node.images.pulls) + " pulls";
}

std::vector<FieldCase> PlaceCases() {
  return {
      Mounted("Volume.name", "emptyDir: {}", Mount("container_path"), "/x"),
      Mounted("Volume.emptyDir", "emptyDir: {}", Mount("container_path"), "/x"),
      Mounted(
          "EmptyDirVolumeSource.medium", "emptyDir: {medium: Memory}",
          [](PodRun& run) {
            const std::string path = Mount("host_path")(run);
            return std::string(IsMountPoint(path) ? "of memory" : "a folder, or none");
          },
          "of memory"),
      Mounted("EmptyDirVolumeSource.sizeLimit", "emptyDir: {sizeLimit: 1Mi}", Exceeded,
              "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". "),
      Mounted("HostPathVolumeSource.path", "hostPath: {path: " + kFolder + "}", Mount("host_path"),
              kFolder),
      Mounted("HostPathVolumeSource.type", "hostPath: {path: " + kFolder + ", type: File}",
              EventOf("FailedMount"),
              "FailedMount: MountVolume.SetUp failed for volume \"v\" : hostPath type check "
              "failed: " +
                  kFolder + " is not a file"),
      Mounted("PersistentVolumeClaimVolumeSource.claimName",
              "persistentVolumeClaim: {claimName: c}", Mount("host_path"), kFolder + "/pv",
              PodsClaim),
      Mounted("PersistentVolumeClaimVolumeSource.readOnly",
              "persistentVolumeClaim: {claimName: c, readOnly: true}", Mount("readonly"), "true",
              PodsClaim),
      Mounted("PodSecurityContext.fsGroupChangePolicy", "persistentVolumeClaim: {claimName: c}",
              GroupOfFile, "group 0, container in [7]", GroupsFolder,
              "securityContext: {fsGroup: 7, fsGroupChangePolicy: OnRootMismatch}, "),
      Mounted("Volume.ephemeral", "ephemeral: {volumeClaimTemplate: {spec: {}}}", OwnClaim,
              kFolder + "/pv"),
      Mounted("ImageVolumeSource.reference", "image: {reference: 'data:1'}", VolumeImage, "data:1"),
      Mounted("ImageVolumeSource.pullPolicy", "image: {reference: 'data:1', pullPolicy: Always}",
              PullsOfVolume, "1 pulls"),
  };
}

std::vector<ContainerCase> MountCases() {
  return {
      MountedSo("name", "mountPath: /x", Mount("container_path"), "/x"),
      MountedSo("mountPath", "mountPath: /x", Mount("container_path"), "/x"),
      MountedSo("readOnly", "mountPath: /x, readOnly: true", Mount("readonly"), "true"),
      MountedSo("recursiveReadOnly", "mountPath: /x, readOnly: true, recursiveReadOnly: Enabled",
                Mount("recursive_read_only"), "true"),
      MountedSo("subPath", "mountPath: /x, subPath: sub", Mount("host_path"), kFolder + "/sub"),
      MountedSo("subPathExpr", "mountPath: /x, subPathExpr: $(ME)", Mount("host_path"),
                kFolder + "/web"),
      MountedSo("mountPropagation", "mountPath: /x, mountPropagation: HostToContainer",
                Mount("propagation"), "PROPAGATION_HOST_TO_CONTAINER"),
  };
}

}  // namespace

std::vector<FieldCase> VolumeCases() {
  std::vector<FieldCase> out = PlaceCases();
  std::ranges::move(CasesOf(MountCases()), std::back_inserter(out));
  return out;
}

}  // namespace podium::node::pod_fields
