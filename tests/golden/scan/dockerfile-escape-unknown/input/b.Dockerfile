# escape=`x
FROM registry.example.com/a:1@sha256:cafecafecafecafecafecafecafecafecafecafecafecafecafecafecafecafe `
  AS base
