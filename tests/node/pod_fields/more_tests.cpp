#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {

const std::map<std::string, std::string>& MoreTests() {
  static const std::map<std::string, std::string> kTests = {
      {"Container.resources.limits", "tests/e2e/attacks_test.py test_memory_bomb"},
      {"Container.securityContext", "EmbeddedTest.PrivilegedHasAll"},
      {"Container.stdin", "tests/e2e/play_test.py test_attach"},
      {"Container.tty", "ShimEscapeTest.TheConsoleIsTheTerminalItself"},
      {"ContainerPort.hostIP", "HostPortsTest.OneAddressOfTheHost"},
      {"ContainerPort.hostPort", "HostPortsTest.ReachedFromEverywhere"},
      {"HostPathVolumeSource.path", "EmbeddedTest.MountsVolumesAndSources"},
      {"ImageVolumeSource.reference", "EmbeddedTest.ImageVolumesAreCopiedAndImagesMounted"},
      {"Lifecycle.stopSignal", "EmbeddedTest.StopSignalOfConfigurationThenImage"},
      {"PodSecurityContext.runAsUser", "EmbeddedTest.UsersAreLookedUpInTheImage"},
      {"PodSecurityContext.seLinuxOptions", "SelinuxRuntimeTest.OptionsOfSandboxesAndContainers"},
      {"PodSecurityContext.sysctls", "ShimPodTest.SysctlsAreOfThePodsNamespaces"},
      {"PodSpec.dnsConfig", "EmbeddedTest.SysctlsAndDns"},
      {"PodSpec.enableServiceLinks",
       "tests/e2e/pod_objects_test.py test_containers_hear_of_services"},
      {"PodSpec.ephemeralContainers", "tests/e2e/cluster_test.py test_debug"},
      {"PodSpec.hostIPC", "EmbeddedTest.HostNamespaces"},
      {"PodSpec.hostNetwork", "EmbeddedTest.HostNamespaces"},
      {"PodSpec.hostPID", "EmbeddedTest.HostNamespaces"},
      {"PodSpec.hostUsers", "EmbeddedTest.UserNamespacesMapTheRoot"},
      {"PodSpec.initContainers", "tests/e2e/play_test.py test_init_container_writes_the_page"},
      {"PodSpec.shareProcessNamespace", "tests/e2e/play_test.py test_processes_are_shared"},
      {"SecurityContext.allowPrivilegeEscalation",
       "ShimContainerTest.SetUserIdProgramsGainNothingWithoutPrivilegeEscalation"},
      {"SecurityContext.capabilities",
       "ShimContainerTest.HasTheCapabilitiesOfItsPlanAndNoInheritableOnes"},
      {"SecurityContext.privileged", "EmbeddedTest.PrivilegedHasAll"},
      {"SecurityContext.procMount", "ShimContainerTest.PathsAreMaskedAndReadOnly"},
      {"SecurityContext.readOnlyRootFilesystem", "EmbeddedTest.ReadOnlyRootAndMaskedPaths"},
      {"SecurityContext.seccompProfile",
       "ShimContainerTest.IsUnderItsFilterWithAndWithoutNewPrivileges"},
      {"ServiceAccountTokenProjection.path",
       "tests/e2e/pod_objects_test.py test_a_token_is_the_pods"},
      {"Volume.configMap",
       "tests/e2e/pod_objects_test.py test_changes_reach_running_containers_within_a_second"},
      {"Volume.ephemeral", "tests/e2e/pod_objects_test.py test_an_ephemeral_volume"},
      {"Volume.persistentVolumeClaim",
       "tests/e2e/pod_objects_test.py test_a_claim_of_a_local_volume"},
      {"VolumeMount.mountPropagation", "SharingTest.MountsPropagateAsAsked"},
      {"VolumeMount.recursiveReadOnly", "SharingTest.ReadOnlyReachesDownOnlyIfAsked"},
  };
  return kTests;
}

}  // namespace podium::node::pod_fields
