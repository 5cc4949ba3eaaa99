{{/* Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License. */}}

{{/* home-server.name is the name of the objects: of the release, unless that says nothing of a server. A StatefulSet's pods have
it in a label, with 11 characters more. */}}
{{- define "home-server.name" -}}
{{- if contains "home-server" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-home-server" (.Release.Name | trunc 40 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* home-server.selector are the labels of the server's pod by which it is found. They never change. */}}
{{- define "home-server.selector" -}}
app.kubernetes.io/name: home-server
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end -}}

{{/* home-server.labels are those of every object, apart from its component. */}}
{{- define "home-server.labels" -}}
app.kubernetes.io/name: home-server
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: hubhome
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* home-server.image is the image of the server and of the Job. */}}
{{- define "home-server.image" -}}
{{- with .Values.image -}}
{{- .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* home-server.storage says which of the three the homes are on: existingClaim, volume or size. */}}
{{- define "home-server.storage" -}}
{{- $p := .Values.persistence -}}
{{- $said := list -}}
{{- if $p.existingClaim }}{{ $said = append $said "existingClaim" }}{{ end -}}
{{- if or $p.volume.driver $p.volume.volumeHandle }}{{ $said = append $said "volume" }}{{ end -}}
{{- if $p.size }}{{ $said = append $said "size" }}{{ end -}}
{{- if not $said -}}
{{-   fail "persistence: say where the homes are: existingClaim (a claim that is there), volume.driver and volume.volumeHandle (a disk that is there), or size (a disk that is to be made)" -}}
{{- else if gt (len $said) 1 -}}
{{-   fail (printf "persistence: %s are set, and the homes are on one disk: leave one of them" (join " and " $said)) -}}
{{- else if eq (first $said) "volume" -}}
{{-   range list "driver" "volumeHandle" "capacity" -}}
{{-     if not (get $p.volume .) }}{{ fail (printf "persistence.volume.%s is missing: a disk is named by its CSI driver, its volumeHandle and its capacity" .) }}{{ end -}}
{{-   end -}}
{{- end -}}
{{- first $said -}}
{{- end -}}

{{/* home-server.claim is the claim that the chart makes for a disk that is there, and home-server.volume its volume. */}}
{{- define "home-server.claim" -}}
{{- include "home-server.name" . }}-homes
{{- end -}}
{{- define "home-server.volume" -}}
{{- printf "%s-%s" .Release.Namespace (include "home-server.claim" .) -}}
{{- end -}}

{{/* home-server.config is hubhome.yaml. */}}
{{- define "home-server.config" -}}
{{- if not .Values.nfs.allow -}}
{{-   fail "nfs.allow is missing: list the networks of the nodes, which are who mounts; NFS proves nothing about who a caller is, so that there is no default (docs/security.md)" -}}
{{- end -}}
{{- if not .Values.hubs -}}
{{-   fail "hubs is empty, so that nothing would be served: name at least one JupyterHub, such as `prod: {}`. If there are hubs, their values were not given this time" -}}
{{- end -}}
{{- $nfs := dict "listen" ":2049" "baseShare" .Values.nfs.baseShare "allow" .Values.nfs.allow "squash" .Values.nfs.squash "owner" .Values.nfs.owner -}}
{{- $metrics := dict "homes" (int .Values.metrics.homes) -}}
{{- if .Values.metrics.enabled }}{{ $_ := set $metrics "listen" ":9949" }}{{ end -}}
{{- $warnings := dict "at" .Values.warnings.at -}}
{{- if .Values.warnings.stdout }}{{ $_ := set $warnings "file" "stdout" }}{{ end -}}
{{- if .Values.warnings.webhook.secretName }}{{ $_ := set $warnings "webhook" "/run/secrets/hubhome/webhook" }}{{ end -}}
{{- $quota := dict "reserve" (merge (dict "inodes" (int .Values.quota.reserve.inodes)) .Values.quota.reserve) -}}
# Made by Helm: a change by hand is undone by the next upgrade.
{{ dict "store" (dict "disk" (dict "path" "/srv/homes")) "nfs" $nfs "quota" $quota "metrics" $metrics "warnings" $warnings "log" (dict "level" .Values.log.level) "hubs" .Values.hubs | toYaml }}
{{- end -}}

{{/* home-server.asOwner says why a server cannot go on as the owner of the homes; it is empty where it can. */}}
{{- define "home-server.notAsOwner" -}}
{{- $owner := .Values.nfs.owner -}}
{{- if hasPrefix "0:" $owner -}}
nfs.owner is root
{{- else if ne .Values.nfs.squash "all" -}}
nfs.squash is {{ .Values.nfs.squash }}, so that files belong to several users
{{- else -}}
{{-   range $name, $hub := .Values.hubs -}}
{{-     with $hub }}{{ if and .owner (ne .owner $owner) }}the hub {{ $name }} belongs to {{ .owner }} and not to {{ $owner }}; {{ end }}{{ end -}}
{{-   end -}}
{{- end -}}
{{- end -}}

{{/* home-server.placement says where pods of this chart run. */}}
{{- define "home-server.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
