module fluvio/clients

go 1.24.0

require (
	github.com/IBM/sarama v1.46.3
	github.com/segmentio/kafka-go v0.4.51
	github.com/twmb/franz-go v1.22.3
	github.com/twmb/franz-go/pkg/kadm v1.20.0
	github.com/xdg-go/scram v1.1.2
)
