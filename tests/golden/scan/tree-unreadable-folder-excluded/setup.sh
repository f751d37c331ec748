#!/bin/sh
chmod 0 data
