const forge = require('node-forge');

require('./lines')((message, read) => {
    const envelope = forge.pkcs7.messageFromAsn1(forge.asn1.fromDer(message.toString('binary')));
    const recipient = envelope.findRecipient(forge.pki.certificateFromPem(read('cert.pem').toString()));
    if (!recipient) {
        throw new Error('it is for somebody else');
    }
    envelope.decrypt(recipient, forge.pki.privateKeyFromPem(read('key.pem').toString()));
    // What fails to decrypt has no content, and no error.
    if (!envelope.content) {
        throw new Error('no content');
    }
    return Buffer.from(envelope.content.getBytes(), 'binary');
});
