# SPDX-License-Identifier: Apache-2.0
"""Compare core/wire with kafka-python's codec, message by message.

wire_python.py TOOL SEED: TOOL is wire_samples. Each of its random messages is decoded here and must have the same
values by name; it is encoded here and must give the same bytes, or bytes that TOOL decodes to the same values.
"""
import collections
import io
import json
import struct
import subprocess
import sys
import uuid

from kafka.protocol.data_container import DataContainer
from kafka.protocol.schemas import BaseField, StructField, load_json

messages = {}


def message(name):
    """The package's own description of a message, without the changes that its client makes; None if it has none."""
    if name not in messages:
        try:
            described = load_json(''.join(word.capitalize() for word in name.split('_')))
        except FileNotFoundError:
            messages[name] = None
            return None
        fields = StructField(described)
        fields._versions = (0, fields._versions[1])
        kind = type(described['name'], (DataContainer,), {'_struct': fields})
        fields.set_data_class(kind)
        messages[name] = fields, BaseField.parse_versions(described['flexibleVersions'])
    return messages[name]


def plain(value, kind):
    """A scalar as wire_samples prints it."""
    if value is None:
        return '0' * 32 if kind == 'uuid' else None
    if kind in ('bytes', 'records'):
        return bytes(value).hex()
    if kind == 'float64':
        return struct.pack('>d', value).hex()
    if kind == 'uuid':
        return uuid.UUID(str(value)).hex
    return value


def values(obj, version):
    """The fields of a decoded message, by name."""
    result = {}
    for field in obj._struct._fields:
        if not field.for_version_q(version):
            continue
        if field.tagged_field_q(version) and field.name not in (obj.tags or ()):
            continue
        value = getattr(obj, field.name)
        if value is not None and field.is_struct_array():
            value = [values(item, version) for item in value]
        elif value is not None and field.is_struct():
            value = values(value, version)
        elif value is not None and field.type_str.startswith('[]'):
            value = [plain(item, field.type_str[2:]) for item in value]
        else:
            value = plain(value, field.type_str)
        result[field.name] = value
    return result


def main():
    tool, seed = sys.argv[1:]
    compared, unknown, failed = collections.Counter(), set(), {}
    sent = []
    lines = subprocess.run([tool, seed], check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        name, version, data, expected = line.split(' ', 3)
        known = message(name)
        if known is None:
            unknown.add(name)
            continue
        fields, flexible_versions = known
        version, data, expected = int(version), bytes.fromhex(data.strip('-')), json.loads(expected)
        flexible = bool(flexible_versions) and flexible_versions[0] <= version <= flexible_versions[1]
        case = f'{name} {version}'
        try:
            stream = io.BytesIO(data)
            obj = fields.decode(stream, version=version, compact=flexible, tagged=flexible)
            got = values(obj, version)
            if got != expected or stream.read():
                raise ValueError(f'decodes to {got}, not {expected}')
            again = fields.encode(obj, version=version, compact=flexible, tagged=flexible)
            sent.append((case, expected, f'{name} {version} {again.hex() or "-"}'))
            compared[case] += 1
        except Exception as error:  # what the package raises differs; each is a difference
            failed.setdefault(case, f'{type(error).__name__}: {error}')
    answer = subprocess.run([tool, 'decode'], input='\n'.join(text for _, _, text in sent) + '\n',
                            capture_output=True, text=True)
    if answer.returncode != 0:
        failed['what it encodes'] = answer.stderr.strip()
    for (case, expected, _), line in zip(sent, answer.stdout.splitlines()):
        if json.loads(line.split(' ', 3)[3]) != expected:
            failed.setdefault(case, f'encoded by the package: {line}, not {expected}')
    bad = {case.split(' ')[0] for case in failed}
    good = collections.Counter(case.split(' ')[0] for case in compared if case not in failed)
    for name, count in good.items():
        if name not in bad:
            print(f'ok   wire/kafka-python agrees on {name}: {count} versions')
    for case, why in failed.items():
        print(f'FAIL wire/kafka-python differs on {case}: {why}')
    print('not known to the package:', ' '.join(sorted(unknown)))
    print(f'{len(set(good) - bad)} passed, {len(failed)} failed')
    return 1 if failed else 0


sys.exit(main())
