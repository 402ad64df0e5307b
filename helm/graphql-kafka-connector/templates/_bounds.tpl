{{- /*
What a schema cannot hold, or cannot give the reason of. Each refusal says what to do.
*/ -}}
{{- define "connector.bounds" -}}
{{- if ne (toString .Values.replicaCount) "1" }}
{{- fail (printf "replicaCount is %v, and has to be 1: two pods would publish every row twice, and every open subscription is billed twice." .Values.replicaCount) }}
{{- end }}
{{- if not .Values.config.subscriptions }}
{{- fail "config.subscriptions is empty: give the connector's configuration under `config`, with at least one subscription (see the chart's README)." }}
{{- end }}
{{- include "connector.bounds.drain" . }}
{{- include "connector.bounds.http" . }}
{{- include "connector.bounds.documents" . }}
{{- include "connector.secrets" . }}
{{- include "connector.bounds.whole" .Values.config }}
{{- $podMonitor := dig "enabled" false (.Values.podMonitor | default dict) }}
{{- $serviceMonitor := dig "enabled" false (.Values.serviceMonitor | default dict) }}
{{- $service := include "connector.service" . | fromYaml }}
{{- if and $podMonitor $serviceMonitor }}
{{- fail "podMonitor.enabled and serviceMonitor.enabled are both true: Prometheus would count everything twice. Enable one." }}
{{- end }}
{{- if and $serviceMonitor (not $service.enabled) }}
{{- fail "serviceMonitor.enabled needs service.enabled: a ServiceMonitor finds the pod by its Service. Enable it, or use podMonitor." }}
{{- end }}
{{- end }}

{{- /* What the schema leaves to the templates, so that a secret in the open is told of first. */ -}}
{{- define "connector.bounds.whole" -}}
{{- $tokens := list }}
{{- range list "oauth" "token" "token_file" }}
{{- if hasKey $ . }}{{- $tokens = append $tokens . }}{{- end }}
{{- end }}
{{- if gt (len $tokens) 1 }}
{{- fail (printf "config.%s stands beside config.%s: keep one of oauth, token and token_file." (index $tokens 1) (index $tokens 0)) }}
{{- end }}
{{- $security := dig "kafka" "security" dict . }}
{{- if and (hasKey $security "sasl") (not (dig "sasl" "mechanism" "" $security)) }}
{{- fail "config.kafka.security.sasl.mechanism is missing: give PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER." }}
{{- end }}
{{- if contains "${" (include "connector.unfilled" (toJson .)) }}
{{- fail "config holds a ${ that is no placeholder: write ${env:NAME}, ${file:/path}, or $${ for ${." }}
{{- end }}
{{- end }}

{{- /* The text without its placeholders. `$${` is none, but the text `${`. */ -}}
{{- define "connector.unfilled" -}}
{{- regexReplaceAll "[$][{](env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}\"]+)[}]" (replace "$${" "" .) "" }}
{{- end }}

{{- define "connector.bounds.drain" -}}
{{- $drain := dig "shutdown" "drain" "" .Values.config | toString }}
{{- $seconds := include "connector.seconds" $drain }}
{{- if not $seconds }}
{{- fail (printf "config.shutdown.drain is %q: give a duration such as 20s or 500ms." $drain) }}
{{- end }}
{{- $grace := .Values.terminationGracePeriodSeconds }}
{{- if ge (float64 $seconds) (subf $grace 5) }}
{{- fail (printf "config.shutdown.drain is %s and terminationGracePeriodSeconds is %v: the drain has to end more than 5 s before the pod is killed, or received rows are lost. Raise terminationGracePeriodSeconds." $drain $grace) }}
{{- end }}
{{- end }}

{{- define "connector.bounds.http" -}}
{{- $host := dig "http" "host" "" .Values.config }}
{{- if not (has $host (list "0.0.0.0" "::")) }}
{{- fail (printf "config.http.host is %q: the probes ask the pod's own address, so it has to be 0.0.0.0 or \"::\"." $host) }}
{{- end }}
{{- if lt (int (dig "http" "port" 0 .Values.config)) 1 }}
{{- fail "config.http.port has to be a fixed port: the probes and the Service name it." }}
{{- end }}
{{- end }}

{{- /* A document named as a plain file has to be among `documents`; an inline one has braces, an absolute path is a volume's. */ -}}
{{- define "connector.bounds.documents" -}}
{{- range .Values.config.subscriptions }}
{{- $document := .document | default "" }}
{{- if and $document (not (contains "{" $document)) (not (hasPrefix "/" $document)) (not (hasKey ($.Values.documents | default dict) $document)) }}
{{- fail (printf "config.subscriptions: %v names the document %q, which `documents` does not hold. It holds: %s." .name $document (keys ($.Values.documents | default dict) | sortAlpha | join ", " | default "nothing")) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Seconds of a duration such as 20s, 500ms or 1m30s; empty where it is none. */ -}}
{{- define "connector.seconds" -}}
{{- if regexMatch "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$" . }}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 }}
{{- $sum := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|s|m|h|d)" . -1 }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- $sum = addf $sum (mulf (float64 (trimSuffix $unit .)) (get $units $unit)) }}
{{- end }}
{{- $sum }}
{{- end }}
{{- end }}
