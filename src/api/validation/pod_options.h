// What an object that already exists may keep although new objects may not have it, and what the
// feature gates of release 1.36 (at their defaults) allow. Members carry upstream's names.
//
// Gates off by default in 1.36 that bear on Pods: ClusterTrustBundleProjection,
// ContainerStopSignals, DRANodeAllocatableResources, GenericWorkload, ImageVolumeWithDigest,
// PodCertificateRequest, SELinuxMount, TaintTolerationComparisonOperators,
// UserNamespacesHostNetworkSupport. All others are on, among them ContainerRestartRules,
// RestartAllContainersOnContainerExits, EnvFiles, HostnameOverride, ImageVolume, PodLevelResources,
// InPlacePodLevelResourcesVerticalScaling, InPlacePodVerticalScalingInitContainers,
// StrictIPCIDRValidation and ClearingNominatedNodeNameAfterBinding.
#pragma once

namespace podium::api {

namespace meta::v1 {
struct ObjectMeta;
}
namespace core::v1 {
struct PodSpec;
struct PodTemplateSpec;
}  // namespace core::v1

// The initial values are those for a new object.
struct PodValidationOptions {
  // The controller.kubernetes.io/pod-deletion-cost annotation may be no 32-bit integer.
  bool allow_invalid_pod_deletion_cost = false;
  // Label selectors of pod affinity terms may hold invalid label values.
  bool allow_invalid_label_value_in_selector = false;
  // Huge pages need not be a multiple of the page size.
  bool allow_indivisible_huge_pages_values = false;
  bool allow_invalid_topology_spread_constraint_label_selector = false;
  // Paths of projected service account tokens may leave the volume.
  bool allow_non_local_projected_token_path = false;
  // Sysctls of a namespace shared with the host.
  bool allow_namespaced_sysctls_for_host_net_and_host_ipc = false;
  // The object is a Pod; otherwise a PodSpec inside another object.
  bool resource_is_pod = false;
  bool allow_relaxed_environment_variable_validation = true;
  bool allow_relaxed_dns_search_validation = true;
  bool allow_pod_lifecycle_sleep_action_zero_value = true;
  // seLinuxChangePolicy may be Recursive only.
  bool allow_only_recursive_selinux_change_policy = true;
  bool pod_level_resources_enabled = true;
  bool in_place_pod_level_resources_vertical_scaling_enabled = true;
  // Init containers that restart always may have a resizePolicy.
  bool allow_sidecar_resize_policy = true;
  bool allow_invalid_label_value_in_required_node_affinity = false;
  bool allow_match_label_keys_in_pod_topology_spread = true;
  bool allow_match_label_keys_in_pod_topology_spread_selector_merge = true;
  bool old_pod_violates_match_label_keys_validation = false;
  bool old_pod_violates_legacy_match_label_keys_validation = false;
  // The text of an error names fileKeyRef.
  bool allow_env_files_validation = true;
  bool allow_container_restart_policy_rules = true;
  // Init containers that run to completion may keep a resizePolicy of RestartContainer.
  bool allow_existing_restart_container_for_non_sidecar_init_container = false;
  bool allow_user_namespaces_with_volume_devices = false;
  // Tolerations may use Lt and Gt.
  bool allow_taint_toleration_comparison_operators = false;
  bool allow_user_namespaces_host_network_support = false;
  // Restart rules may use the action RestartAllContainers, and sidecars may have rules.
  bool allow_restart_all_containers = true;
  // Container statuses may name the digest of an image volume.
  bool allow_image_volume_with_digest = false;
  // Image volumes may have no reference.
  bool allow_empty_image_volume_reference = false;
};

// The options for a pod spec that replaces `old_spec`. Both `old_spec` and `old_meta` are null for
// a new object; old_meta is that of the pod or of the template.
PodValidationOptions PodValidationOptionsFor(const core::v1::PodSpec* old_spec,
                                             const meta::v1::ObjectMeta* old_meta);

// The same for a template; `old_template` is null for a new object.
PodValidationOptions PodValidationOptionsForTemplate(const core::v1::PodTemplateSpec* old_template);

}  // namespace podium::api
