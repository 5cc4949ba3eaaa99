output "helm_values" {
  description = "For each store, the text of a values file for the chart homes."
  value = {
    for name, store in aws_efs_file_system.store : name => yamlencode({
      nfs = {
        enabled = true
        pv = {
          enabled       = true
          serverIP      = store.dns_name
          baseShareName = "/homes/"
          # EFS speaks NFSv4.1 and refuses 4.2. The rest is what AWS recommends.
          mountOptions = ["hard", "noatime", "nosuid", "nodev", "vers=4.1", "rsize=1048576", "wsize=1048576", "timeo=600", "retrans=2", "noresvport"]
        }
        shareCreator = {
          enabled = true
        }
      }
    })
  }
  # Before there is a mount target the name leads nowhere.
  depends_on = [aws_efs_mount_target.store]
}

output "server_addresses" {
  description = "For each store, the name that it is mounted from: in each availability zone it leads to the mount target there."
  value       = { for name, store in aws_efs_file_system.store : name => store.dns_name }
  depends_on  = [aws_efs_mount_target.store]
}

output "file_system_ids" {
  description = "For each store, the id of its file system, for alerts and for `terraform import`."
  value       = { for name, store in aws_efs_file_system.store : name => store.id }
}

output "security_group_id" {
  description = "The security group of the mount targets."
  value       = aws_security_group.store.id
}
