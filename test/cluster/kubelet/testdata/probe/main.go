// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Command probe is the program of the containers that the tests run. Its arguments are what it does, one after the other:
//
//	say TEXT     prints it
//	who          prints its user and group
//	env NAME     prints a variable
//	cat FILE     prints a file
//	ls DIR       prints the names in a directory
//	write FILE   writes into a file
//	listen       listens for a moment at a port of the loopback below 1024, the first that is free
//	pods         asks the API server for the pods of its namespace, as a program in a pod does
//	sleep        waits until it is told to end, and says so
//	exit CODE    ends
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	next := func() string {
		if len(args) == 0 {
			return ""
		}
		first := args[0]
		args = args[1:]
		return first
	}
	for len(args) > 0 {
		switch what := next(); what {
		case "say":
			fmt.Println(next())
		case "who":
			fmt.Printf("%d:%d\n", os.Getuid(), os.Getgid())
		case "env":
			fmt.Println(os.Getenv(next()))
		case "cat":
			fmt.Println(read(next()))
		case "ls":
			entries, err := os.ReadDir(next())
			check(err)
			for _, entry := range entries {
				fmt.Println(entry.Name())
			}
		case "write":
			check(os.WriteFile(next(), []byte("written"), 0o644))
		case "listen":
			port := 1023
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			for ; errors.Is(err, syscall.EADDRINUSE) && port > 600; port-- {
				l, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			}
			check(err)
			l.Close()
		case "pods":
			pods()
		case "sleep":
			told := make(chan os.Signal, 1)
			signal.Notify(told, syscall.SIGTERM)
			select {
			case <-told:
				fmt.Println("told to end")
				os.Exit(1)
			case <-time.After(2 * time.Minute):
			}
		case "exit":
			code, err := strconv.Atoi(next())
			check(err)
			os.Exit(code)
		default:
			log.Fatalf("%s?", what)
		}
	}
}

func pods() {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(account + "ca.crt")))
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	url := fmt.Sprintf("https://%s/api/v1/namespaces/%s/pods",
		net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")), read(account+"namespace"))
	request, err := http.NewRequest("GET", url, nil)
	check(err)
	request.Header.Set("Authorization", "Bearer "+read(account+"token"))
	answer, err := client.Do(request)
	check(err)
	body, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Println(answer.StatusCode, string(body))
}

func read(name string) string {
	text, err := os.ReadFile(name)
	check(err)
	return string(text)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
