const { webcrypto } = require('crypto');
const pkijs = require('pkijs');

pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto }));
const bytes = (buffer) => new Uint8Array(buffer).buffer;

require('./lines')(async (message, read) => {
    const { content } = pkijs.ContentInfo.fromBER(bytes(message));
    const envelope = new pkijs.EnvelopedData({ schema: content });
    const device = {
        recipientCertificate: pkijs.Certificate.fromBER(bytes(read('cert.der'))),
        recipientPrivateKey: bytes(read('key.der')),
    };
    // It does not look for the recipient: its user does, or tries each.
    let failure = new Error('no recipients');
    for (let index = 0; index < envelope.recipientInfos.length; index++) {
        try {
            return Buffer.from(await envelope.decrypt(index, device));
        } catch (error) {
            failure = error;
        }
    }
    throw failure;
});
